/**
 * Keys of a tab's stored session state, and how many sessions it keeps. The tab chooses the names itself: the server
 * chooses the codes, so it could give a session the code of an earlier one, and with it that session's stored state.
 */

/**
 * Where the state of sessions is kept: a browser's `sessionStorage`, or anything with these methods.
 * @typedef {object} StateStorage
 * @property {(key: string) => string | null} getItem
 * @property {(key: string, value: string) => void} setItem throws if there is no room
 * @property {(key: string) => void} removeItem
 * @property {() => Promise<void>} [written] of one that writes later: resolves when all that was set until now is kept
 */

/** A part of one session's stored state; browsers hold state under these names. @typedef {"ledger" | "cursor" | "approvals" | "seen" | "reserve"} Part */

/** The key of the list of names in use, most recent first. */
const LIST = "waypost.sessions";

/** Sessions whose answers stay stored. Answers may be large, and all share the few megabytes of an origin. */
const MAX_ANSWERING = 4;

/** Sessions of which anything stays stored. An encrypted session that is dropped here can't be restored. */
const MAX_REMEMBERED = 50;

/**
 * The name of a session's stored state. Another key makes another name, so an answer encrypted under one key is never
 * encrypted under another, nor sent unencrypted.
 * @param {{ tabId?: string, code: string, key?: string }} record without a `tabId` where an older version has saved it
 */
export function storageName({ tabId, code, key }) {
  const own = tabId ?? code;
  return key === undefined ? own : `${own}.${digest(key)}`;
}

/** The storage key of one part. @param {Part} part @param {string} name */
export function storageKey(part, name) {
  return `waypost.${part}.${name}`;
}

/**
 * Marks `name` as most recently used, and drops the state of the least recently used sessions.
 * @param {string} name
 * @param {StateStorage | null} storage
 * @param {(error: unknown) => void} fail called when the list can't be stored
 */
export function retain(name, storage, fail) {
  if (!storage) return;
  const names = [name, ...listed(storage).filter((other) => other !== name)];
  for (const old of names.slice(1)) drop(storage, old, ["reserve"]);
  for (const old of names.slice(MAX_ANSWERING)) drop(storage, old, ["ledger", "cursor", "approvals"]);
  try {
    storage.setItem(LIST, names.slice(0, MAX_REMEMBERED).join(","));
  } catch (error) {
    return fail(error);
  }
  // After the list: an encrypted session that is still listed is restored, and must know what it has run.
  for (const old of names.slice(MAX_REMEMBERED)) drop(storage, old, ["seen"]);
}

/** Whether the state stored under `name` has not been dropped. @param {string} name @param {StateStorage} storage */
export function isRetained(name, storage) {
  return listed(storage).includes(name);
}

/** @param {StateStorage} storage @returns {string[]} */
function listed(storage) {
  return storage.getItem(LIST)?.split(",") ?? [];
}

/** @param {StateStorage} storage @param {string} name @param {Part[]} parts */
function drop(storage, name, parts) {
  for (const part of parts) storage.removeItem(storageKey(part, name));
}

/** A 64-bit digest (FNV-1a): enough to tell keys apart, too little to guess one. @param {string} key */
function digest(key) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(key)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
