/** The id of this tab's conversation: whoever has it has the memory, so it is random and stays in the tab. */

import { newUuid } from "../ids.js";
import { tabStorage } from "../session/session.js";

const STORAGE_KEY = "waypost.sessionId";

/** The id where the storage takes nothing: it lasts as long as the page. @type {string | null} */
let unstored = null;

/**
 * This tab's id: the same after a reload, another one in another tab. A tab that is duplicated takes it along.
 * @param {Storage | null} [storage]
 * @returns {string}
 */
export function getSessionId(storage = tabStorage()) {
  return stored(storage) ?? unstored ?? begin(storage);
}

/**
 * Begin anew: the next `getSessionId()` gives an id without a past.
 * @param {Storage | null} [storage]
 */
export function clearSessionId(storage = tabStorage()) {
  unstored = null;
  try {
    storage?.removeItem(STORAGE_KEY);
  } catch {
    // What can't be removed could not be stored either.
  }
}

/** @param {Storage | null} storage */
function stored(storage) {
  try {
    return storage?.getItem(STORAGE_KEY) || null;
  } catch {
    return null;
  }
}

/** @param {Storage | null} storage */
function begin(storage) {
  const id = newUuid();
  try {
    storage?.setItem(STORAGE_KEY, id);
  } catch {
    // Full, or forbidden: looked at below.
  }
  unstored = stored(storage) === id ? null : id;
  return id;
}
