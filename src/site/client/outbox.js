/** Answers on their way: each is sent again, with backoff, until the server has acknowledged it or refuses it for good. */

import { Backoff, Nap } from "./backoff.js";
import { isTransient, retryAfterMs } from "./errors.js";

/** @typedef {import("./ledger.js").Answer} Answer */

/**
 * @typedef {object} OutboxOptions
 * @property {(id: string, answer: Answer) => Promise<unknown>} send
 * @property {(id: string, answer: Answer) => void} delivered
 * @property {(id: string, answer: Answer, error: unknown) => void} refused sending it again can't help
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
   * Send `answer` to the request `id`; if one is already on its way, that one is tried now.
   * @param {string} id
   * @param {Answer} answer
   */
  put(id, answer) {
    const nap = this.#sending.get(id);
    if (nap) return nap.cut();
    this.#deliver(id, answer, new Nap()).catch(this.#options.fail);
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
   * @param {string} id
   * @param {Answer} answer
   * @param {Nap} nap
   */
  async #deliver(id, answer, nap) {
    const backoff = new Backoff();
    this.#sending.set(id, nap);
    while (!this.#stopped) {
      try {
        await this.#options.send(id, answer);
        this.#sending.delete(id);
        return this.#options.delivered(id, answer);
      } catch (error) {
        if (!isTransient(error)) {
          this.#sending.delete(id);
          return this.#options.refused(id, answer, error);
        }
        this.#options.fail(error);
        await nap.sleep(backoff.next(retryAfterMs(error)));
      }
    }
  }
}
