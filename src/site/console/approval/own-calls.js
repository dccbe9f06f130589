/** The calls made from this page: pressing the button is already the approval. */

import { newId } from "../../client/ids.js";

/** @type {Set<string>} */
const ids = new Set();

/** Makes the id of a new call from this page. It is random, so that no other caller can use it in advance. */
export function ownCall() {
  const id = newId();
  ids.add(id);
  return id;
}

/** Whether the call `id` was made from this page, since it was loaded. @param {string} id */
export function isOwnCall(id) {
  return ids.has(id);
}
