/** The calls that wait for the person at this tab, for a decision or an answer, by the ids of their requests. */

/** @type {Set<string>} */
const waiting = new Set();

/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {string} id */
export function startWaiting(id) {
  waiting.add(id);
  tell();
}

/** @param {string} id */
export function stopWaiting(id) {
  waiting.delete(id);
  tell();
}

/** Whether the request `id` waits. @param {string} id */
export function isWaiting(id) {
  return waiting.has(id);
}

/** Whether any request waits. */
export function someWait() {
  return waiting.size > 0;
}

/** Calls `listener` at each change. @param {() => void} listener */
export function onWaiting(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) listener();
}
