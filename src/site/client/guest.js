/** The agent's side: calls tools in somebody's tab, safely repeatable. */

import { Backoff } from "./backoff.js";
import { ApiError, CallTimeout, isTransient, retryAfterMs, ToolError } from "./errors.js";
import { Http } from "./http.js";
import { newId } from "./ids.js";
import { ProgressFeed } from "./progress-feed.js";
import { ownOrigin } from "./session.js";

/** @typedef {import("./host.js").ToolDefinition} ToolDefinition */

/** How long one request waits at the server: well under what proxies allow, so that few waits are cut. */
const WAIT_SECONDS = 25;

/** A person may have to answer. */
const DEFAULT_TIMEOUT_MS = 300_000;

/**
 * @typedef {object} SessionInfo
 * @property {string} code
 * @property {string} createdAt
 * @property {string} expiresAt
 * @property {boolean} active
 * @property {string | null} label
 * @property {any} data
 * @property {boolean} hostOnline whether the tab is there now
 * @property {string | null} hostSeenAt
 * @property {ToolDefinition[]} tools
 */

/**
 * @typedef {object} CallOptions
 * @property {string} [id] the request's own id: the same id is the same request, also after a reload of the caller
 * @property {number} [timeout] milliseconds until `CallTimeout`; the request stays open
 * @property {AbortSignal} [signal] takes the request back
 * @property {(value: any) => void} [onProgress]
 */

/** A guest of one session. */
export class Guest {
  #http;
  #feed;

  /**
   * @param {string} code
   * @param {{ baseUrl?: string, token?: string }} [options]
   */
  constructor(code, { baseUrl = ownOrigin(), token } = {}) {
    this.code = code;
    this.#http = new Http(baseUrl, token);
    this.#feed = new ProgressFeed(this.#http, code);
  }

  /** What the session is now, and the tools it has. @returns {Promise<SessionInfo>} */
  async session() {
    return (await this.#http.json("GET", `/api/sessions/${this.code}`)).data;
  }

  /**
   * Call a tool. Whatever happens to the network on the way, it runs once.
   *
   * Rejects with `ToolError` (the tool's own error), `CallTimeout`, `ApiError` (the server refuses), or the signal's
   * reason.
   * @param {string} tool
   * @param {Record<string, unknown>} [args]
   * @param {CallOptions} [options]
   * @returns {Promise<any>} the tool's result
   */
  async call(tool, args = {}, { id = newId(), timeout = DEFAULT_TIMEOUT_MS, signal, onProgress } = {}) {
    signal?.throwIfAborted();
    const closeFeed = onProgress ? this.#feed.follow(id, onProgress) : () => {};
    try {
      const answer = await this.#ask({ code: this.code, tool, args, id }, timeout, signal);
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
   * Take a request back. One that has been answered meanwhile, or whose session is over, needs no taking back.
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
        if (!isTransient(error) || attempt === 4) throw error;
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
        const delay = backoff.next(retryAfterMs(error));
        await pause(Math.min(delay, Math.max(0, deadline - Date.now())), signal);
      }
    }
  }
}

/**
 * Become the guest of a session.
 * @param {string} code
 * @param {{ baseUrl?: string }} [options]
 * @returns {Promise<Guest>} rejects with `ApiError` if there is no such session
 */
export async function joinSession(code, { baseUrl = ownOrigin() } = {}) {
  const { data } = await new Http(baseUrl).json("POST", `/api/sessions/${encodeURIComponent(code)}/join`);
  return new Guest(data.code, { baseUrl, token: data.guestToken });
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
