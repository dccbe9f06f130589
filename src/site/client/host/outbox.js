/** Answers on their way: each is sent again, with backoff, until the server has acknowledged it or refuses it for good. */

import { Backoff, Nap } from "../transport/backoff.js";
import { isTransient, retryAfterMs } from "../errors.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */
/** @typedef {import("./runner.js").Asked} Asked */

/**
 * @typedef {object} OutboxOptions
 * @property {(call: Asked, answer: Answer) => Promise<unknown>} send
 * @property {(call: Asked, answer: Answer) => void} delivered
 * @property {(call: Asked, answer: Answer, error: unknown) => void} refused sending it again can't help
 * @property {(error: unknown) => void} fail an attempt failed; there will be another
 */

export class Outbox {
  #options;
  #stopped = false;
  /** @type {Map<string, Nap>} */
  #sending = new Map();

  /** @param {OutboxOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Send `answer` to the request `call`; if one is already on its way, that one is tried now.
   * @param {Asked} call
   * @param {Answer} answer
   */
  put(call, answer) {
    const nap = this.#sending.get(call.id);
    if (nap) return nap.cut();
    this.#deliver(call, answer, new Nap()).catch(this.#options.fail);
  }

  /** Try all of them now. */
  wake() {
    for (const nap of this.#sending.values()) nap.cut();
  }

  /** Send nothing more. */
  stop() {
    this.#stopped = true;
    this.wake();
  }

  /**
   * @param {Asked} call
   * @param {Answer} answer
   * @param {Nap} nap
   */
  async #deliver(call, answer, nap) {
    const backoff = new Backoff();
    this.#sending.set(call.id, nap);
    while (!this.#stopped) {
      try {
        await this.#options.send(call, answer);
        this.#sending.delete(call.id);
        return this.#options.delivered(call, answer);
      } catch (error) {
        if (!isTransient(error)) {
          this.#sending.delete(call.id);
          return this.#options.refused(call, answer, error);
        }
        this.#options.fail(error);
        await nap.sleep(backoff.next(retryAfterMs(error)));
      }
    }
  }
}
