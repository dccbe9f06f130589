/** What is remembered of a chat, and what it tells about an answer whose end was missed. */

/** @typedef {import("./answer-events.js").ChatEvent} ChatEvent */
/** @typedef {import("./answer-events.js").ForkedFrom} ForkedFrom */
/** @typedef {import("./answer-events.js").AnswerProgress} AnswerProgress */

/**
 * @typedef {object} ChatMessage
 * @property {string} id
 * @property {"user" | "assistant" | "system" | "tool"} role
 * @property {any} content
 * @property {string} timestamp
 * @property {boolean} [partial] the answer was not said to its end, or not yet
 * @property {{ id: string, name: string, args: any }[]} [toolCalls]
 * @property {string} [toolCallId]
 */

/**
 * @typedef {object} ChatHistory
 * @property {string | null} sessionId null: the thread has not begun
 * @property {ChatMessage[]} messages the last ones, oldest first
 * @property {ForkedFrom} [forkedFrom]
 */

/**
 * The events that were missed of an answer that runs no more; null if the history does not have it.
 * @param {AnswerProgress} progress what was not missed; moved on to the end
 * @param {ChatHistory} history
 * @param {{ threadId: string, resourceId: string }} thread
 * @returns {ChatEvent[] | null}
 */
export function missedEvents(progress, { sessionId, messages }, { threadId, resourceId }) {
  const answer = findAnswer(progress, messages);
  if (!sessionId || !answer) return null;
  const { id: generationId, partial = false } = answer;
  /** @type {ChatEvent[]} */
  const events = [];
  if (!progress.generationId) {
    events.push({ type: "start", sessionId, threadId, resourceId, generationId, messageId: progress.messageId });
  }
  const text = progress.takeWhole(`${answer.content}`);
  if (text) events.push(text);
  const finishReason = partial ? "unknown" : "stop";
  events.push({
    type: "done",
    generationId,
    messageId: generationId,
    finishReason,
    partial,
    messageCount: messages.length,
  });
  return events;
}

/**
 * The answer by its own id, or, where it was never heard to begin, by the question before it.
 * @param {AnswerProgress} progress
 * @param {ChatMessage[]} messages
 */
function findAnswer({ generationId, messageId }, messages) {
  if (generationId) return messages.find(({ id }) => id === generationId);
  const asked = messages.findIndex(({ id }) => id === messageId);
  return asked < 0 ? undefined : messages.slice(asked).find(({ role }) => role === "assistant");
}
