/** The calls that a person makes from this very page: who has pressed the button need not be asked. */

import { newId } from "../../client/ids.js";

/** @type {Set<string>} */
const ids = new Set();

/** The id of a new call from this page; nobody else can know it before the call is made. */
export function ownCall() {
  const id = newId();
  ids.add(id);
  return id;
}

/** Whether the call `id` was made from this page, since it was loaded. @param {string} id */
export function isOwnCall(id) {
  return ids.has(id);
}
