/** Requests to one Waypost server: JSON in and out. An error status becomes `ApiError`, a failed connection `TransportError`. */

import { ApiError, TransportError, WaypostError } from "../errors.js";
import { toJson } from "../json.js";
import { SilenceTimeout } from "./silence-timeout.js";

/** Default limit until the response begins, and between two pieces of it. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** The slowest upload that is waited for: 8 MiB in three minutes, as the server does. */
const UPLOAD_BYTES_PER_MS = 47;

/** The longest Retry-After that is heeded. A timer of more than 2^31 ms would fire immediately. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, string | number | undefined>} [query] undefined values are left out
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [timeoutMs] until the response begins, the time for a large body not included. 0: none
 * @property {boolean} [keepalive] the request may outlive the page
 */

export class Http {
  #token;

  /**
   * @param {string} baseUrl throws `WaypostError` `invalid_base_url` for what is no absolute URL
   * @param {string} [token] sent as a header: a URL ends up in logs and histories
   */
  constructor(baseUrl, token) {
    if (!URL.canParse(baseUrl)) {
      throw new WaypostError("invalid_base_url", `baseUrl is no URL: write https://your-worker.example, not ${baseUrl}.`);
    }
    this.baseUrl = baseUrl;
    this.#token = token;
  }

  /**
   * Sends a request and parses the JSON of the response; `data` is undefined for an empty body.
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<{ status: number, data: any }>}
   */
  async json(method, path, options = {}) {
    const parse = (/** @type {string} */ text) => (text === "" ? undefined : JSON.parse(text));
    return this.#whole(method, path, options, parse);
  }

  /**
   * Sends a request and returns the text of the response.
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<string>}
   */
  async text(method, path, options = {}) {
    return (await this.#whole(method, path, options, String)).data;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} options
   * @param {(text: string) => any} parse
   */
  async #whole(method, path, { timeoutMs = DEFAULT_TIMEOUT_MS, signal, ...options }, parse) {
    const payload = encode(options.body);
    const attempt = new AbortController();
    const both = signal ? AbortSignal.any([signal, attempt.signal]) : attempt.signal;
    const silence = new SilenceTimeout(attempt, timeoutMs + (payload?.length ?? 0) / UPLOAD_BYTES_PER_MS);
    /** @type {Response | undefined} */
    let response;
    try {
      response = await this.#send(method, path, payload, { ...options, signal: both });
      return { status: response.status, data: parse(await readText(response, silence)) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof WaypostError) throw error;
      // Not an error of its own kind: the network of a hotel may reply with its page until the person has signed in.
      const message = isPage(response) ? `A page came from there: ${noWaypost(this.baseUrl)}` : "The server's reply broke off.";
      throw new TransportError(message, { cause: error });
    } finally {
      silence.stop();
    }
  }

  /**
   * Sends a request and returns the successful response with its body unread. `timeoutMs` covers reading the body too.
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   */
  async open(method, path, { signal, timeoutMs = 0, ...options } = {}) {
    try {
      return await this.#send(method, path, encode(options.body), { ...options, signal: anySignal(signal, timeoutMs) });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string | undefined} payload
   * @param {RequestOptions} options
   */
  async #send(method, path, payload, { query = {}, headers = {}, signal, keepalive }) {
    const url = new URL(path, this.baseUrl);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, `${value}`);
    const sent = new Headers(headers);
    if (this.#token) sent.set("authorization", `Bearer ${this.#token}`);
    if (payload !== undefined) sent.set("content-type", "application/json");
    let response;
    try {
      response = await fetch(url, {
        method,
        headers: sent,
        body: payload,
        signal,
        cache: "no-store",
        credentials: "omit",
        keepalive,
      });
    } catch (error) {
      throw new TransportError("The server can't be reached.", { cause: error });
    }
    if (!response.ok) throw await refusal(response, this.baseUrl);
    return response;
  }
}

/** @param {unknown} body */
function encode(body) {
  return body === undefined ? undefined : toJson(body);
}

/**
 * The text of a response, read piece by piece: a large one may take long, as long as it keeps coming.
 * @param {Response} response
 * @param {SilenceTimeout} silence
 */
async function readText(response, silence) {
  if (!response.body) return "";
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const reader = response.body.getReader();
  let text = "";
  for (;;) {
    silence.heard(DEFAULT_TIMEOUT_MS);
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
}

/**
 * @param {AbortSignal | undefined} signal
 * @param {number} timeoutMs
 */
function anySignal(signal, timeoutMs) {
  if (!timeoutMs) return signal;
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** Whether it is a page for people. @param {Response | undefined} response */
function isPage(response) {
  return response?.headers.get("content-type")?.startsWith("text/html") === true;
}

/** What is said of a reply that no Waypost server gives. @param {string} baseUrl */
function noWaypost(baseUrl) {
  return `${new URL(baseUrl).origin} is no Waypost server. Is its baseUrl right?`;
}

/**
 * @param {Response} response
 * @param {string} baseUrl
 */
async function refusal(response, baseUrl) {
  /** @type {Record<string, unknown>} */
  let problem = {};
  try {
    const parsed = await response.json();
    if (parsed && typeof parsed === "object") problem = parsed;
  } catch {
    // Not a problem document: a proxy's page, or cut off. The status says enough.
  }
  const code = typeof problem.code === "string" ? problem.code : `http_${response.status}`;
  const said = `The server replied ${response.status}`;
  // A path that a Waypost server does not have gets a problem document there, too.
  const why = [404, 405].includes(response.status) ? `: ${noWaypost(baseUrl)}` : ".";
  const message = problem.detail ?? problem.title ?? `${said}${why}`;
  const wait = retryAfter(response.headers.get("retry-after"), Date.now());
  return new ApiError(response.status, code, `${message}`, { retryAfterMs: wait, problem });
}

/**
 * Milliseconds of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3), a day at most; 0 if it is absent or malformed.
 * @param {string | null} value
 * @param {number} nowMs
 */
export function retryAfter(value, nowMs) {
  if (value === null) return 0;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}
