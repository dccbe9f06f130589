/** One answer as it is given, over as many connections as that takes: nothing repeated, nothing left out. */

import { AnotherAnswer, AnswerProgress } from "./answer-events.js";
import { Backoff, CancellableSleep } from "../transport/backoff.js";
import { isTransient, retryAfterMs, TransportError, WaypostError } from "../errors.js";
import { SilenceTimeout } from "../transport/silence-timeout.js";
import { SseParser } from "../transport/sse.js";
import { listenForWake } from "../transport/wake.js";

/** @typedef {import("./answer-events.js").ChatEvent} ChatEvent */

/** A model may think for long, and be asked a second time, before there is anything to reply with. */
const THINKING_MS = 5 * 60_000;

/** The stream of an answer has a heartbeat every 5 s. */
const SILENCE_MS = 20_000;

/** After waking, two missed heartbeats are reason enough. */
const SILENCE_ON_WAKE_MS = 10_000;

/** No answer takes longer than this: who has heard nothing for so long need not wait for the rest. */
const GIVE_UP_MS = 15 * 60_000;

/** How often an answer may be missing in the history: what was written elsewhere may take a minute to show. */
const MAX_MISSES = 10;

/**
 * @typedef {object} AnswerSource
 * @property {(signal: AbortSignal) => Promise<Response>} first the connection that the answer begins on
 * @property {(lastEventId: string, signal: AbortSignal) => Promise<Response>} again one that goes on; 204: nothing runs
 * @property {(progress: AnswerProgress) => Promise<ChatEvent[] | null>} rest what the history has of an
 *   answer that runs no more; null if it has none of it
 * @property {string} [messageId] the question, if it is ours
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
   * The first connection. What goes wrong with it is the caller's: nothing has begun yet.
   * @returns {Promise<Response>}
   */
  async open() {
    try {
      const response = await this.#connect(this.#source.first, THINKING_MS);
      if (response.status === 204) this.#disconnect();
      return response;
    } catch (error) {
      this.#disconnect();
      throw this.#translated(error);
    }
  }

  /**
   * Its events until the answer is over, going on over new connections where one breaks.
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
   * What one connection brings; returns what broke it, if anything did.
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
   * Our answer runs no more: the history has its end.
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
   * Wait before the next connection, unless there is no sense in one.
   * @param {WaypostError | null} error what broke the last one
   * @returns {AsyncGenerator<ChatEvent, void, void>}
   */
  async *#pause(error) {
    const { signal } = this.#source;
    signal?.throwIfAborted();
    if (error && (!isTransient(error) || Date.now() - this.#heardAt > GIVE_UP_MS)) throw error;
    const delayMs = this.#backoff.next(retryAfterMs(error));
    if (error) yield { type: "waiting", delayMs, error };
    signal?.throwIfAborted();
    await this.#sleep.start(delayMs);
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
    this.#sleep.wake();
  }

  /** @param {unknown} error @returns {WaypostError} */
  #translated(error) {
    this.#source.signal?.throwIfAborted();
    if (error instanceof WaypostError) return error;
    return new TransportError("The connection broke off.", { cause: error });
  }
}
