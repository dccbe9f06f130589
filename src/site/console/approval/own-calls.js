/**
 * The calls that the person makes in this page to this page's own tab: pressing the button is already the approval. It is
 * valid for that one call, once. Any other request is asked about, under whatever id it comes.
 */

import { newId } from "../../client/ids.js";

/** @typedef {{ code: string, tool: string, args: unknown }} OwnCall `code`: of the session that the call is made in */

/** What each id may be used for. @type {Map<string, string>} */
const expected = new Map();

/**
 * Makes the id of a new call to this page's own tab. It is random, so that no other caller can use it in advance.
 * @param {OwnCall} call
 */
export function ownCall(call) {
  const id = newId();
  expected.set(id, written(call));
  return id;
}

/**
 * Whether the request `id` is exactly the call that the person made under this id. Its approval is used up by asking.
 * @param {string} id
 * @param {OwnCall} call
 */
export function useOwnCall(id, call) {
  const isOwn = expected.get(id) === written(call);
  expected.delete(id);
  return isOwn;
}

/** The call `id` has ended: a later request under this id is asked about. @param {string} id */
export function endOwnCall(id) {
  expected.delete(id);
}

/** @param {OwnCall} call */
function written({ code, tool, args }) {
  return JSON.stringify([code, tool, args]);
}
