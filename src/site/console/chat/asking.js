/** A question to the model, with the tab that it may use. */

/** @typedef {import("../../waypost.js").Chat} Chat */
/** @typedef {import("../../waypost.js").ChatEvent} ChatEvent */
/** @typedef {import("./tab-tools.js").TabTools} TabTools */

/**
 * Sends a message, with the session of the tab if its tools may be used.
 * @param {Chat} chat
 * @param {string} text
 * @param {import("../../waypost.js").SendOptions} options
 * @param {TabTools} tools
 * @returns {AsyncGenerator<ChatEvent, void, void>}
 */
export async function* ask(chat, text, options, tools) {
  const session = await tools.session();
  try {
    yield* chat.send(text, { ...options, session });
  } catch (error) {
    const joined = await tools.join(error, session);
    if (!joined) throw error;
    yield* chat.send(text, { ...options, session: joined });
  }
}
