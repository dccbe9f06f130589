/**
 * Under which names a tab remembers what it did for its sessions, and for how many. A name is the tab's own choice: the
 * server chooses the codes, so it could give one session the code of another, and with it what was remembered of that.
 */

/** What is remembered of one session. @typedef {"ledger" | "cursor" | "approvals" | "seen"} Part */

/** Lists the names in use, the last one first. */
const LIST = "waypost.sessions";

/** Sessions of which the answers stay stored: they may be large, and all share the few megabytes of an origin. */
const MAX_ANSWERING = 4;

/** Sessions of which anything stays stored. An encrypted one that is dropped here is not restored any more. */
const MAX_REMEMBERED = 50;

/**
 * The name of a session's memory. Another key makes another name: what was sealed with one is never sealed with another,
 * nor sent in the clear.
 * @param {{ tabId?: string, code: string, key?: string }} record without a `tabId` where an older version has saved it
 */
export function storageName({ tabId, code, key }) {
  const own = tabId ?? code;
  return key === undefined ? own : `${own}.${digest(key)}`;
}

/** Where a part of it is stored. @param {Part} part @param {string} name */
export function storageKey(part, name) {
  return `waypost.${part}.${name}`;
}

/**
 * Keep the memory `name`, and drop those of the sessions that were not used for longest.
 * @param {string} name
 * @param {Storage | null} storage
 * @param {(error: unknown) => void} fail told when that can't be stored
 */
export function retain(name, storage, fail) {
  if (!storage) return;
  const names = [name, ...listed(storage).filter((other) => other !== name)];
  for (const old of names.slice(MAX_ANSWERING)) drop(storage, old, ["ledger", "cursor", "approvals"]);
  for (const old of names.slice(MAX_REMEMBERED)) drop(storage, old, ["seen"]);
  try {
    storage.setItem(LIST, names.slice(0, MAX_REMEMBERED).join(","));
  } catch (error) {
    fail(error);
  }
}

/** Whether what was remembered under `name` can still be there. @param {string} name @param {Storage} storage */
export function isRetained(name, storage) {
  return listed(storage).includes(name);
}

/** @param {Storage} storage @returns {string[]} */
function listed(storage) {
  return storage.getItem(LIST)?.split(",") ?? [];
}

/** @param {Storage} storage @param {string} name @param {Part[]} parts */
function drop(storage, name, parts) {
  for (const part of parts) storage.removeItem(storageKey(part, name));
}

/** 64 bits that tell keys apart, and say too little to guess one (FNV-1a). @param {string} key */
function digest(key) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(key)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
