/** The agent's side of a session: calls the tab's tools. A repeated call with the same id runs once. */

import { Backoff } from "../transport/backoff.js";
import { ApiError, CallTimeout, isTransient, retryAfterMs, ToolError, TransportError } from "../errors.js";
import { GuestCipher } from "../crypto/guest-cipher.js";
import { newGuest } from "../grammar.js";
import { saysEncrypted } from "../crypto/host-wire.js";
import { Http } from "../transport/http.js";
import { newId } from "../ids.js";
import { plainCode, readInvite } from "./invite.js";
import { ProgressFeed } from "./progress-feed.js";
import { ownOrigin } from "../server.js";

/** @typedef {import("../host/tool-registry.js").ToolDefinition} ToolDefinition */

/** How long one request waits at the server; shorter than the timeouts of common proxies. */
const WAIT_SECONDS = 25;

/** Few, because a person is waiting to see whether the code is right. */
const JOIN_ATTEMPTS = 3;

/** A cancellation that the server puts off for longer is given up: the caller is waiting for it. */
const MAX_CANCEL_WAIT_MS = 30_000;

/** Long, because a person may have to answer. */
const DEFAULT_TIMEOUT_MS = 300_000;

/**
 * @typedef {object} SessionInfo
 * @property {string} code
 * @property {string} createdAt
 * @property {string} expiresAt
 * @property {boolean} active
 * @property {string | null} label
 * @property {any} data
 * @property {boolean} hostOnline whether the tab is connected now
 * @property {string | null} hostSeenAt
 * @property {ToolDefinition[]} tools
 * @property {"shared"} guests each guest may read, acknowledge and cancel the requests of all
 * @property {boolean} encrypted whether the tab says that it accepts only encrypted calls; not authenticated
 */

/**
 * @typedef {object} CallOptions
 * @property {string} [id] the request's own id: the same id is the same request, also after a reload of the caller
 * @property {number} [timeout] milliseconds until `CallTimeout`; the request stays open
 * @property {AbortSignal} [signal] cancels the request
 * @property {(value: any) => void} [onProgress]
 */

/** A guest of one session. */
export class Guest {
  #http;
  #feed;
  #cipher;

  /**
   * @param {string} code
   * @param {{ baseUrl?: string, token?: string, key?: string }} [options] `key`: of an encrypted session. With it, nothing
   *   is sent unencrypted, and no unencrypted answer is accepted
   */
  constructor(code, { baseUrl = ownOrigin(), token, key } = {}) {
    this.code = code;
    this.#cipher = key === undefined ? null : new GuestCipher(plainCode(code), key);
    this.#http = new Http(baseUrl, token);
    this.#feed = new ProgressFeed(this.#http, code);
  }

  /** Whether this guest encrypts, because it has a key. */
  get encrypted() {
    return this.#cipher !== null;
  }

  /** Reads the session and its tools. @returns {Promise<SessionInfo>} */
  async session() {
    const { data } = await this.#http.json("GET", `/api/sessions/${encodeURIComponent(this.code)}`);
    return { ...data, encrypted: saysEncrypted(data.tools) };
  }

  /**
   * Calls a tool. It runs at most once, however often the network fails on the way.
   *
   * Rejects with `ToolError` (the tool's own error), `CallTimeout`, `ApiError` (the server refuses), `DecryptionError`, or
   * the signal's reason.
   * @param {string} tool
   * @param {Record<string, unknown>} [args]
   * @param {CallOptions} [options]
   * @returns {Promise<any>} the tool's result
   */
  async call(tool, args = {}, { id = newId(), timeout = DEFAULT_TIMEOUT_MS, signal, onProgress } = {}) {
    signal?.throwIfAborted();
    const call = { id, tool };
    const cipher = this.#cipher;
    // Encrypted once: a retry sends the same bytes.
    const sent = { code: this.code, tool, args: cipher ? await cipher.request(call, args) : args, id };
    const open = cipher && ((/** @type {unknown} */ envelope) => cipher.progress(call, envelope));
    const closeFeed = onProgress ? this.#feed.follow(id, onProgress, open) : () => {};
    try {
      const answer = await this.#ask(sent, timeout, signal);
      if (cipher) return await cipher.answer(call, answer);
      if (answer.error) throw new ToolError(answer.error.code, answer.error.message, answer.error.data);
      return answer.result;
    } catch (error) {
      if (signal?.aborted) await this.cancel(id);
      throw error;
    } finally {
      closeFeed();
    }
  }

  /**
   * Cancels a request. Succeeds also if the request is already answered or its session is over.
   * @param {string} id
   */
  async cancel(id) {
    const backoff = new Backoff();
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        await this.#http.json("POST", `/api/request/${encodeURIComponent(id)}/cancel`, { body: { code: this.code } });
        return;
      } catch (error) {
        if (error instanceof ApiError && (error.isFinal || error.status === 409)) return;
        if (!isTransient(error) || attempt === 4 || retryAfterMs(error) > MAX_CANCEL_WAIT_MS) throw error;
        await pause(backoff.next(retryAfterMs(error)));
      }
    }
  }

  /**
   * @param {{ code: string, tool: string, args: object, id: string }} body
   * @param {number} timeout
   * @param {AbortSignal} [signal]
   */
  async #ask(body, timeout, signal) {
    const deadline = Date.now() + timeout;
    const backoff = new Backoff();
    for (;;) {
      const left = deadline - Date.now();
      if (left <= 0) throw new CallTimeout(body.id, timeout);
      const wait = Math.min(WAIT_SECONDS, left / 1000);
      try {
        const timeoutMs = wait * 1000 + 15_000;
        const reply = await this.#http.json("POST", "/api/request", { body, query: { wait }, signal, timeoutMs });
        if (reply.status === 200) return reply.data;
        backoff.reset();
      } catch (error) {
        if (!isTransient(error)) throw error;
        // To wait for the deadline would only hide what is wrong.
        if (retryAfterMs(error) > deadline - Date.now()) throw error;
        const delay = backoff.next(retryAfterMs(error));
        await pause(Math.min(delay, Math.max(0, deadline - Date.now())), signal);
      }
    }
  }
}

/**
 * Joins a session as a guest.
 * @param {string} invite its code, or its whole link, which names the server and carries the key of an encrypted session
 * @param {{ baseUrl?: string, key?: string }} [options] these take precedence over the link
 * @returns {Promise<Guest>} rejects with `ApiError` if there is no such session
 */
export async function joinSession(invite, options = {}) {
  const { code, key, baseUrl = ownOrigin() } = { ...readInvite(invite), ...given(options) };
  // Before the request, so that a damaged key, or a page that can't encrypt, fails immediately.
  const guest = new Guest(code, { baseUrl, key });
  const { code: plain, guestToken } = await join(new Http(baseUrl), guest.code);
  return new Guest(plain, { baseUrl, key, token: guestToken });
}

/**
 * Joins, with retries. A code may admit only the first guest, and the response to a successful join can be lost: the same
 * id may therefore join again.
 * @param {Http} http
 * @param {string} code
 * @returns {Promise<{ code: string, guestToken: string }>}
 */
async function join(http, code) {
  const id = newId();
  const backoff = new Backoff();
  for (let attempt = 1; ; attempt++) {
    try {
      return newGuest((await http.json("POST", `/api/sessions/${encodeURIComponent(code)}/join`, { body: { id } })).data);
    } catch (error) {
      if (!(error instanceof TransportError) || attempt === JOIN_ATTEMPTS) throw error;
      await pause(backoff.next());
    }
  }
}

/** The options that are not undefined. @template {object} T @param {T} options @returns {T} */
function given(options) {
  return /** @type {T} */ (Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)));
}

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
