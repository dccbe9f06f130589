/** The id of this tab's conversation. It gives access to the history, so it is random and stays in the tab. */

import { newUuid } from "../ids.js";
import { tabStorage } from "../session/session.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */

const STORAGE_KEY = "waypost.sessionId";

/** The id if the storage is unavailable; kept as long as the page. @type {string | null} */
let unstored = null;

/**
 * This tab's id: the same after a reload, different in each tab. Duplicating a tab copies it.
 * @param {StateStorage | null} [storage]
 * @returns {string}
 */
export function getSessionId(storage = tabStorage()) {
  return stored(storage) ?? unstored ?? begin(storage);
}

/**
 * Starts over: the next `getSessionId()` returns a new id without a history.
 * @param {StateStorage | null} [storage]
 */
export function clearSessionId(storage = tabStorage()) {
  unstored = null;
  try {
    storage?.removeItem(STORAGE_KEY);
  } catch {
    // Storage that refuses a removal has also refused the id.
  }
}

/** @param {StateStorage | null} storage */
function stored(storage) {
  try {
    return storage?.getItem(STORAGE_KEY) || null;
  } catch {
    return null;
  }
}

/** @param {StateStorage | null} storage */
function begin(storage) {
  const id = newUuid();
  try {
    storage?.setItem(STORAGE_KEY, id);
  } catch {
    // Full or forbidden: checked below.
  }
  unstored = stored(storage) === id ? null : id;
  return id;
}
