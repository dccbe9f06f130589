/** The calls that the open chat makes, so that a person who is asked about a call knows whose it is. */

/** What each id stands for. @type {Map<string, string>} */
const known = new Map();

/** @type {Set<() => void>} */
const listeners = new Set();

/** @typedef {{ id: string, tool: string, args: unknown }} ChatCall */

/** The server has told this page of a call of its chat. @param {ChatCall} call */
export function learnChatCall(call) {
  known.set(call.id, written(call));
  for (const listener of listeners) listener();
}

/** The call `id` has ended. @param {string} id */
export function endChatCall(id) {
  known.delete(id);
}

/** Whether this is such a call, and no other under its id. @param {ChatCall} call */
export function isChatCall(call) {
  return known.get(call.id) === written(call);
}

/** Calls `listener` at each new one: a request may come before the chat tells of it. @param {() => void} listener */
export function onChatCall(listener) {
  listeners.add(listener);
}

/** @param {ChatCall} call */
function written({ tool, args }) {
  return JSON.stringify([tool, args]);
}
