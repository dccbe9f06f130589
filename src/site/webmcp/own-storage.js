/**
 * Where the badge keeps its session across pages of the site: the tab's own storage under names of its own, so that a page that
 * uses `waypost.js` itself keeps its session beside it.
 */

const PREFIX = "webmcp:";

/** Null where the browser blocks storage. @returns {Storage | null} */
export function ownStorage() {
  /** @type {Storage} */
  let storage;
  try {
    storage = globalThis.sessionStorage;
  } catch {
    return null;
  }
  const own = {
    getItem: (/** @type {string} */ key) => storage.getItem(PREFIX + key),
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => storage.setItem(PREFIX + key, value),
    removeItem: (/** @type {string} */ key) => storage.removeItem(PREFIX + key),
  };
  return /** @type {Storage} */ (/** @type {unknown} */ (own));
}

/** Whether an earlier page of this tab was sharing when it was left. */
export function wasSharing() {
  return (ownStorage()?.getItem("waypost.session") ?? null) !== null;
}
