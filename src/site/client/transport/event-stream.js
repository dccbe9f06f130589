/** An event stream that reconnects with its cursor, detects silence, and stops when the session is over. */

import { Backoff, CancellableSleep } from "./backoff.js";
import { ApiError, fixedWaitMs, isTransient, retryAfterMs, TransportError, WaypostError } from "../errors.js";
import { isCursor, isoTime } from "../grammar.js";
import { SilenceTimeout } from "./silence-timeout.js";
import { SseParser } from "./sse.js";
import { listenForWake, seemsOffline } from "./wake.js";

/** After waking, one missed heartbeat is enough to reconnect, which is cheaper than waiting to find out. */
const SILENCE_ON_WAKE_MS = 20_000;

/** A stream that broke sooner than this does not prove that the server has recovered: keep backing off. */
const STEADY_MS = 5_000;

/** A server that ends its streams in turn asks for so little; one that asks for more has a reason. */
const SHORT_RETRY_MS = 1000;

/**
 * `connecting`; `online`; `waiting` (`delayMs` until the next attempt, after `error`: a minute or hours if its code is
 * `daily_limit`, because the server's storage is used up for today); `offline` (the same, and the
 * browser sees no network; without `delayMs`, the connection may have survived); `elsewhere` (another page of this browser
 * is the host; this one takes over when that one closes); `superseded` (another host has taken over, `since` then; this
 * one gets no requests any more); `ended` (for good: `reason`, and `error` if it was one).
 * @typedef {object} StreamState
 * @property {"connecting" | "online" | "waiting" | "offline" | "elsewhere" | "superseded" | "ended"} state
 * @property {number} [delayMs]
 * @property {Date} [since]
 * @property {string} [reason]
 * @property {WaypostError} [error]
 */

/**
 * @typedef {object} StreamOptions
 * @property {(cursor: string, signal: AbortSignal) => Promise<Response>} open
 * @property {string} [cursor] where an earlier page left off
 * @property {(cursor: string) => void} [moved] called with the cursor to resume from, after the events up to it were received
 * @property {(type: string, data: any) => void} receive every event but `end`
 * @property {(state: StreamState) => void} report
 * @property {(error: unknown) => void} fail called with an error that does not end the stream
 */

export class EventStream {
  #options;
  #backoff = new Backoff();
  #sleep = new CancellableSleep();
  #cursor = "";
  #stopped = true;
  /** The next attempt needs no delay: there is reason to expect success. */
  #hurry = false;
  /** The server ended the last stream in its turn, as it ends every one: the next one continues it, and nothing is reported. */
  #continues = false;
  /** Why the server ends this stream, if it can't go on for now. @type {ApiError | null} */
  #refusal = null;
  /** @type {AbortController | null} */
  #attempt = null;
  #heardAt = 0;
  /** `online` while connected; `doubted` when the browser says offline and nothing has been heard since. */
  #health = "";
  #unlisten = () => {};

  /** @param {StreamOptions} options */
  constructor(options) {
    this.#options = options;
    this.#cursor = options.cursor ?? "";
  }

  /** Opens the stream and keeps it open until `stop()` or the end of the session. */
  start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#unlisten = listenForWake(
      (certain) => this.#wake(certain),
      () => this.#doubt(),
    );
    this.#run().catch((error) => this.#end({ reason: "failed", error }));
  }

  /** Closes the stream for good; reports nothing more. */
  stop() {
    this.#stopped = true;
    this.#unlisten();
    this.#attempt?.abort();
    this.#sleep.wake();
  }

  /** Reconnects now in any case. */
  retry() {
    this.#wake(false);
    this.#sleep.wake();
  }

  /**
   * Reconnects now instead of later, unless the server can't answer before tomorrow. Drops a connection that is dead (`certain`) or has missed a
   * heartbeat.
   * @param {boolean} certain
   */
  #wake(certain) {
    if (this.#attempt) {
      if (!certain && Date.now() - this.#heardAt < SILENCE_ON_WAKE_MS) return;
      this.#hurry = true;
      this.#attempt.abort();
    }
    this.#sleep.hasten();
  }

  async #run() {
    while (!this.#stopped) {
      if (!this.#continues) this.#options.report({ state: "connecting" });
      const error = await this.#connect();
      if (this.#stopped) return;
      if (error instanceof ApiError && !isTransient(error) && !this.#forgets(error)) {
        return this.#end({ reason: error.code, error });
      }
      if (!this.#continues) await this.#pause(error);
    }
  }

  /** Runs one connection to its end. @returns {Promise<WaypostError | null>} null: the server closed it normally */
  async #connect() {
    const attempt = (this.#attempt = new AbortController());
    const beganAt = Date.now();
    this.#refusal = null;
    try {
      const guard = new SilenceTimeout(attempt);
      try {
        const response = await this.#options.open(this.#cursor, attempt.signal);
        await this.#read(response, guard);
      } finally {
        guard.stop();
      }
      if (this.#refusal) throw this.#refusal;
      const isSteady = Date.now() - beganAt >= STEADY_MS;
      if (isSteady) this.#backoff.reset();
      // Once, if it was short: a server that ends each stream immediately is not asked without a pause.
      const isQuick = this.#health !== "" && this.#backoff.baseMs <= SHORT_RETRY_MS;
      this.#continues = isQuick && (isSteady || !this.#continues);
      return null;
    } catch (error) {
      this.#continues = false;
      if (Date.now() - beganAt >= STEADY_MS) this.#backoff.reset();
      if (error instanceof WaypostError) return error;
      return new TransportError("The connection broke off.", { cause: error });
    } finally {
      this.#health = "";
      this.#attempt = null;
      attempt.abort();
    }
  }

  /**
   * @param {Response} response
   * @param {SilenceTimeout} guard
   */
  async #read(response, guard) {
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw new TransportError("What replied is not a Waypost stream.");
    }
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const parser = new SseParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#stopped) return;
      this.#heardAt = Date.now();
      guard.heard();
      if (this.#health === "doubted") this.#online();
      const events = parser.feed(value);
      this.#backoff.baseMs = parser.retryMs ?? this.#backoff.baseMs;
      for (const event of events) {
        this.#take(event.type, event.data);
        if (this.#stopped) return;
      }
      if (isCursor(parser.lastEventId)) this.#move(parser.lastEventId);
    }
  }

  /**
   * @param {string} type
   * @param {string} text
   */
  #take(type, text) {
    let data;
    try {
      data = JSON.parse(text);
    } catch (error) {
      this.#options.fail(new WaypostError("bad_event", `An event of kind ${type} is not JSON.`, { cause: error }));
      return;
    }
    if (type === "end") return this.#end({ reason: data.reason });
    if (type === "unavailable") {
      // As if it had been refused with this reason, until its `retry` is over.
      const retryAfterMs = this.#backoff.baseMs;
      this.#refusal = new ApiError(503, `${data.code}`, `${data.detail}`, { retryAfterMs, problem: data });
      return;
    }
    if (type === "superseded") {
      // It must not come back by itself: the two hosts would take the session from each other for ever.
      this.stop();
      return this.#options.report({ state: "superseded", since: new Date(isoTime(data.since) ?? Date.now()) });
    }
    if (type === "ready") this.#online();
    this.#options.receive(type, data);
  }

  #online() {
    this.#health = "online";
    this.#options.report({ state: "online" });
  }

  /** @param {string} cursor */
  #move(cursor) {
    if (cursor === this.#cursor) return;
    this.#cursor = cursor;
    this.#options.moved?.(cursor);
  }

  /** Reports `offline` and goes on listening: a server on this machine is still reachable. */
  #doubt() {
    if (this.#health !== "online") return;
    this.#health = "doubted";
    this.#options.report({ state: "offline" });
  }

  /** Drops a cursor that the server refuses, once: without one, nothing is skipped. @param {ApiError} error */
  #forgets(error) {
    if (error.code !== "invalid_cursor" || this.#cursor === "") return false;
    this.#move("");
    this.#hurry = true;
    return true;
  }

  /** @param {WaypostError | null} error */
  async #pause(error) {
    const { baseMs } = this.#backoff;
    const askedMs = error ? retryAfterMs(error) : baseMs > SHORT_RETRY_MS ? baseMs : 0;
    const delayMs = this.#backoff.next(askedMs);
    const fixedMs = fixedWaitMs(error);
    if (!this.#hurry || fixedMs > 0) {
      const state = seemsOffline() ? "offline" : "waiting";
      this.#options.report({ state, delayMs, error: error ?? undefined });
      await this.#sleep.start(delayMs, fixedMs);
    }
    this.#hurry = false;
  }

  /** @param {{ reason: string, error?: WaypostError }} end */
  #end(end) {
    this.stop();
    this.#options.report({ state: "ended", ...end });
  }
}
