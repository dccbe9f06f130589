/**
 * The grammars of texts that come from the server. What a tab stores or sends back must fit one of them: an untrusted server
 * could otherwise fill the tab's storage with a single text.
 */

import { WaypostError } from "./errors.js";

/** The server accepts no longer header field, so no cursor of its own is longer. */
const MAX_CURSOR_LENGTH = 4096;

const UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

/** `message[~position][;producer=number]…`, as in the server's `kv/cursor.py`. */
const CURSOR = new RegExp(`^${UUID7}(?:~${UUID7})?(?:;[A-Za-z0-9._~-]{1,64}=[1-9][0-9]{0,15})*$`);

const ID = /^[A-Za-z0-9._~-]{1,64}$/;
const TOOL_NAME = /^[A-Za-z0-9_./-]{1,128}$/;
const CODE = /^[0-9A-HJKMNP-TV-Z]{8,16}$/;
const ADDRESS = /^[0-9a-hjkmnp-tv-z]{32}$/;
const TOKEN = /^[\x21-\x7e]{1,1024}$/;
const INSTANCE = /^[A-Za-z0-9_-]{8,64}\.[1-9][0-9]{0,14}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** @param {RegExp} grammar @param {unknown} value @returns {value is string} */
function fits(grammar, value) {
  return typeof value === "string" && grammar.test(value);
}

/** @param {unknown} value @returns {value is string} */
export function isCursor(value) {
  return typeof value === "string" && value.length < MAX_CURSOR_LENGTH && CURSOR.test(value);
}

/** Whether `value` is an event about a request: with the cursor of its message and the request's id. @param {any} value */
export function isAboutRequest(value) {
  return isCursor(value?.cursor) && fits(ID, value.id);
}

/** Whether `value` is the instance `id` with the time that the server gives it. @param {unknown} value @param {string} id */
export function isInstance(value, id) {
  return fits(INSTANCE, value) && value.startsWith(`${id}.`);
}

/** @param {unknown} value @returns {value is string} */
export function isToolName(value) {
  return fits(TOOL_NAME, value);
}

/**
 * An ISO 8601 time in the one form that `Date` writes; null if `value` is no such time. `Date` itself accepts much more: a
 * comment of a megabyte, for example.
 * @param {unknown} value
 * @returns {string | null}
 */
export function isoTime(value) {
  if (!fits(TIME, value)) return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/**
 * The server's record of a new session.
 * @param {any} reply
 * @returns {{ code: string, hostToken: string, sessionId?: string, address?: string, createdAt: string, expiresAt: string }}
 */
export function newSession(reply) {
  const { code, hostToken, sessionId, address } = reply ?? {};
  const [createdAt, expiresAt] = [isoTime(reply?.createdAt), isoTime(reply?.expiresAt)];
  const isWhole = fits(CODE, code) && fits(TOKEN, hostToken) && (sessionId === undefined || fits(ID, sessionId));
  if (!isWhole || createdAt === null || expiresAt === null || (address !== undefined && !fits(ADDRESS, address))) throw badReply();
  return { code, hostToken, sessionId, address, createdAt, expiresAt };
}

/**
 * The MCP address that a session has taken.
 * @param {any} reply
 * @returns {string}
 */
export function newAddress(reply) {
  if (!fits(ADDRESS, reply?.address)) throw badReply();
  return reply.address;
}

/**
 * The server's record of a guest.
 * @param {any} reply
 * @returns {{ code: string, guestToken: string }}
 */
export function newGuest(reply) {
  const { code, guestToken } = reply ?? {};
  if (!fits(CODE, code) || !fits(TOKEN, guestToken)) throw badReply();
  return { code, guestToken };
}

function badReply() {
  return new WaypostError("bad_reply", "What the server replied is no session of a Waypost server.");
}
