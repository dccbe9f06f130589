/** Where a session keeps its state, besides what the client takes by itself. For files, see `waypost/node`. */

import { tabStorage } from "../client/session/session.js";

/** @typedef {import("../waypost.js").StateStorage} StateStorage */

export { asyncStorage } from "./async-storage.js";

/**
 * The tab's own storage (`sessionStorage`), which the client also takes where no storage is named; null where there is none.
 * @returns {StateStorage | null}
 */
export function webStorage() {
  return tabStorage();
}

/**
 * A storage that lives as long as this object.
 * @returns {StateStorage}
 */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}
