/** The owner of the threads shown: a random id per browser. And the app key that a server may ask for. */

import { newId } from "../../client/ids.js";
import { keep, recall } from "../shared/storage.js";

const OWNER_KEY = "waypost.resourceId";
const APP_KEY = "waypost.appKey";

/** The resource that owns the threads of this browser. */
export function resourceId() {
  const kept = recall("localStorage", OWNER_KEY);
  if (kept) return kept;
  const made = newId();
  keep("localStorage", OWNER_KEY, made);
  return recall("localStorage", OWNER_KEY) ?? made;
}

/** The credentials of every request about threads. */
export function credentials() {
  return { appKey: recall("sessionStorage", APP_KEY) ?? undefined };
}

/** @param {string} key kept as long as the tab */
export function useAppKey(key) {
  keep("sessionStorage", APP_KEY, key);
}
