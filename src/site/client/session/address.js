/**
 * The MCP address of this browser: a URL that leads to the newest session of its tabs. It is derived from a secret, which
 * stays in the browser's storage, one for each server, and is sent to that server only, never in a URL.
 */

import { toBase64url } from "../crypto/base64url.js";
import { WaypostError } from "../errors.js";
import { newAddress } from "../grammar.js";
import { Http } from "../transport/http.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Where the secret for a server is kept. @param {string} baseUrl */
export function secretKey(baseUrl) {
  return `waypost.address.${new URL(baseUrl).origin}`;
}

/** What all tabs of this origin share, or null where the browser blocks it. @returns {StateStorage | null} */
export function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/**
 * The kept secret; null if there is none.
 * @param {string} baseUrl
 * @param {StateStorage | null} storage
 */
function keptSecret(baseUrl, storage) {
  try {
    const secret = storage?.getItem(secretKey(baseUrl));
    return secret && SECRET.test(secret) ? secret : null;
  } catch {
    return null;
  }
}

/**
 * Makes a new secret and keeps it in place of the old one; null if the storage does not keep it.
 * @param {string} baseUrl
 * @param {StateStorage | null} storage
 */
function newSecret(baseUrl, storage) {
  const old = keptSecret(baseUrl, storage);
  try {
    storage?.setItem(secretKey(baseUrl), toBase64url(crypto.getRandomValues(new Uint8Array(32))));
  } catch {
    // Full or forbidden: seen in what is read back. So is the secret of another tab that was faster.
  }
  const kept = keptSecret(baseUrl, storage);
  return kept === old ? null : kept;
}

/**
 * Calls `open` with the kept secret or a new one; with undefined where none can be kept. If the address was withdrawn, by
 * another browser that has a copy of the secret, it calls `open` again with a new one.
 * @template T
 * @param {string} baseUrl
 * @param {StateStorage | null} storage
 * @param {(secret?: string) => Promise<T>} open
 * @returns {Promise<T>}
 */
export async function withSecret(baseUrl, storage, open) {
  const kept = keptSecret(baseUrl, storage);
  try {
    return await open(kept ?? newSecret(baseUrl, storage) ?? undefined);
  } catch (error) {
    if (!isWithdrawn(error)) throw error;
    return open(newSecret(baseUrl, storage) ?? undefined);
  }
}

/** An open session, as far as its address goes. @typedef {{ baseUrl: string, code: string, key?: string, http: Http }} Holder */

/**
 * Lets the kept address, or a new one, lead to a session, also if a newer session has it.
 * @param {Holder} session
 * @param {StateStorage | null} storage
 * @returns {Promise<string>}
 */
export async function claim(session, storage) {
  requireMcp(session.key);
  return withSecret(session.baseUrl, storage, (secret) => take(session, secret));
}

/**
 * Withdraws the kept address, and lets a new one lead to a session.
 * @param {Holder} session
 * @param {StateStorage | null} storage
 * @returns {Promise<string>}
 */
export async function renew(session, storage) {
  requireMcp(session.key);
  const { baseUrl } = session;
  const old = keptSecret(baseUrl, storage);
  if (old !== null) {
    try {
      // The server says which address it is: without HTTPS, a page has no SHA-256.
      const address = await take(session, old);
      await new Http(baseUrl, old).json("DELETE", `/api/addresses/${address}`);
    } catch (error) {
      if (!isWithdrawn(error)) throw error;
    }
  }
  return take(session, newSecret(baseUrl, storage) ?? undefined);
}

/** Refuses what would lead MCP clients to an encrypted session. @param {string | undefined} key */
export function requireMcp(key) {
  if (key !== undefined) throw new WaypostError("encrypted", "MCP clients can't use an encrypted session, so it has no MCP address.");
}

/** @param {Holder} session @param {string} [secret] */
async function take({ code, http }, secret) {
  if (secret === undefined) throw new WaypostError("storage_blocked", "This browser does not let the page keep an MCP address.");
  const { data } = await http.json("PUT", `/api/sessions/${code}/address`, { body: { secret, claim: true } });
  return newAddress(data);
}

/** @param {unknown} error */
function isWithdrawn(error) {
  return error instanceof WaypostError && error.code === "address_withdrawn";
}
