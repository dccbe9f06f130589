/** Streams one answer over as many connections as needed, without repeating or losing text. */

import { AnotherAnswer, AnswerProgress } from "./answer-events.js";
import { Backoff, CancellableSleep } from "../transport/backoff.js";
import { fixedWaitMs, isTransient, retryAfterMs, TransportError, WaypostError } from "../errors.js";
import { SilenceTimeout } from "../transport/silence-timeout.js";
import { SseParser } from "../transport/sse.js";
import { listenForWake } from "../transport/wake.js";

/** @typedef {import("./answer-events.js").ChatEvent} ChatEvent */

/** The response begins once the question is stored; a store that fails is tried for some seconds. */
const STORING_MS = 60_000;

/** The stream of an answer has a heartbeat every 3 s. */
const SILENCE_MS = 20_000;

/** After waking, two missed heartbeats are enough to reconnect. */
const SILENCE_ON_WAKE_MS = 10_000;

/** No answer takes longer than this: after so much silence, the stream gives up. */
const GIVE_UP_MS = 15 * 60_000;

/** How often the answer may be missing from the history: a write elsewhere may take a minute to become visible. */
const MAX_MISSES = 10;

/**
 * @typedef {object} AnswerSource
 * @property {(signal: AbortSignal) => Promise<Response>} first opens the connection on which the answer begins
 * @property {(lastEventId: string, signal: AbortSignal) => Promise<Response>} again resumes; 204: nothing is running
 * @property {(progress: AnswerProgress) => Promise<ChatEvent[] | null>} rest the missed events of an
 *   answer that has ended, from the history; null if it is not there
 * @property {string} [messageId] our question, if any
 * @property {AbortSignal} [signal]
 */

export class AnswerStream {
  #source;
  #progress;
  #backoff = new Backoff({ baseMs: 500, capMs: 15_000 });
  #sleep = new CancellableSleep();
  /** @type {AbortController | null} */
  #attempt = null;
  /** @type {SilenceTimeout | null} */
  #guard = null;
  #heardAt = Date.now();
  #misses = 0;

  /** @param {AnswerSource} source */
  constructor(source) {
    this.#source = source;
    this.#progress = new AnswerProgress(source.messageId);
  }

  /**
   * Opens the first connection. Its errors are thrown to the caller: nothing has begun yet.
   * @returns {Promise<Response>}
   */
  async open() {
    try {
      const response = await this.#connect(this.#source.first, STORING_MS);
      if (response.status === 204) this.#disconnect();
      return response;
    } catch (error) {
      this.#disconnect();
      throw this.#translated(error);
    }
  }

  /**
   * The events until the answer is over. Reconnects where a connection breaks.
   * @param {Response} response the first connection
   * @returns {AsyncGenerator<ChatEvent, void, void>}
   */
  async *events(response) {
    const { signal, again } = this.#source;
    const wakeUp = () => this.#sleep.wake();
    signal?.addEventListener("abort", wakeUp);
    const unlisten = listenForWake((certain) => this.#wake(certain), () => {});
    let connect = () => Promise.resolve(response);
    try {
      for (;;) {
        const error = yield* this.#hear(connect);
        if (this.#progress.isOver) return;
        yield* this.#pause(error);
        connect = () => this.#connect((alive) => again(this.#progress.lastEventId, alive), SILENCE_MS);
      }
    } finally {
      signal?.removeEventListener("abort", wakeUp);
      unlisten();
      this.#disconnect();
    }
  }

  /**
   * The events of one connection; returns the error that broke it, or null.
   * @param {() => Promise<Response>} connect
   * @returns {AsyncGenerator<ChatEvent, WaypostError | null, void>}
   */
  async *#hear(connect) {
    try {
      const response = await connect();
      if (response.status === 204) throw new AnotherAnswer();
      yield* this.#read(response);
      return null;
    } catch (error) {
      if (!(error instanceof AnotherAnswer)) return this.#translated(error);
    } finally {
      this.#disconnect();
    }
    return yield* this.#rest();
  }

  /** @param {Response} response @returns {AsyncGenerator<ChatEvent, void, void>} */
  async *#read(response) {
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw new TransportError("What replied is not the stream of an answer.");
    }
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const parser = new SseParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#heardAt = Date.now();
      this.#guard?.heard();
      for (const event of parser.feed(value)) {
        const news = this.#progress.take(event);
        if (!news) continue;
        this.#backoff.reset();
        yield news;
        if (this.#progress.isOver) return;
      }
    }
  }

  /**
   * Our answer has ended: reads the missed part from the history.
   * @returns {AsyncGenerator<ChatEvent, WaypostError | null, void>}
   */
  async *#rest() {
    try {
      const events = await this.#source.rest(this.#progress);
      this.#progress.isOver = events !== null;
      yield* events ?? [];
    } catch (error) {
      return this.#translated(error);
    }
    if (this.#progress.isOver || ++this.#misses < MAX_MISSES) return null;
    return new WaypostError("answer_lost", "The connection broke off, and the answer is not in the history.");
  }

  /**
   * Waits before the next connection; throws if reconnecting can't help.
   * @param {WaypostError | null} error the error that broke the last one
   * @returns {AsyncGenerator<ChatEvent, void, void>}
   */
  async *#pause(error) {
    const { signal } = this.#source;
    signal?.throwIfAborted();
    const floorMs = retryAfterMs(error);
    if (error && (!isTransient(error) || Date.now() + floorMs - this.#heardAt > GIVE_UP_MS)) throw error;
    const delayMs = this.#backoff.next(floorMs);
    if (error) yield { type: "waiting", delayMs, error };
    signal?.throwIfAborted();
    await this.#sleep.start(delayMs, fixedWaitMs(error));
    signal?.throwIfAborted();
  }

  /**
   * @param {(signal: AbortSignal) => Promise<Response>} open
   * @param {number} patienceMs
   */
  async #connect(open, patienceMs) {
    const attempt = (this.#attempt = new AbortController());
    this.#guard = new SilenceTimeout(attempt, patienceMs);
    const { signal } = this.#source;
    const response = await open(signal ? AbortSignal.any([signal, attempt.signal]) : attempt.signal);
    this.#guard.heard(SILENCE_MS);
    return response;
  }

  #disconnect() {
    this.#guard?.stop();
    this.#attempt?.abort();
    this.#attempt = this.#guard = null;
  }

  /** @param {boolean} certain */
  #wake(certain) {
    if (certain || Date.now() - this.#heardAt > SILENCE_ON_WAKE_MS) this.#attempt?.abort();
    this.#sleep.hasten();
  }

  /** @param {unknown} error @returns {WaypostError} */
  #translated(error) {
    this.#source.signal?.throwIfAborted();
    if (error instanceof WaypostError) return error;
    return new TransportError("The connection broke off.", { cause: error });
  }
}
