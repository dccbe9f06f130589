/** Undelivered answers. Each is sent again, with backoff, until the server accepts it or refuses it for good. */

import { Backoff, CancellableSleep } from "../transport/backoff.js";
import { fixedWaitMs, isTransient, retryAfterMs } from "../errors.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */
/** @typedef {import("./runner.js").AnsweredCall} AnsweredCall */

/**
 * @typedef {object} OutboxOptions
 * @property {(call: AnsweredCall, answer: Answer) => Promise<unknown>} send
 * @property {(call: AnsweredCall, answer: Answer) => void} delivered
 * @property {(call: AnsweredCall, answer: Answer, error: unknown) => void} refused sending it again can't help
 * @property {(error: unknown) => void} fail an attempt failed; there will be another
 */

/** @typedef {{ call: AnsweredCall, answer: Answer, sleep: CancellableSleep }} Delivery */

export class Outbox {
  #options;
  #stopped = false;
  /** What is being sent, by the request's id. @type {Map<string, Delivery>} */
  #sending = new Map();

  /** @param {OutboxOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Sends `answer` to the request `call`; if one is already waiting for a retry, sends this one in its place now.
   * @param {AnsweredCall} call
   * @param {Answer} answer
   */
  put(call, answer) {
    const sending = this.#sending.get(call.id);
    if (sending) {
      Object.assign(sending, { call, answer });
      return sending.sleep.hasten();
    }
    this.#deliver({ call, answer, sleep: new CancellableSleep() }).catch(this.#options.fail);
  }

  /** Whether every answer was delivered, or refused for good. */
  get isEmpty() {
    return this.#sending.size === 0;
  }

  /** Retries all of them now, but for those that the server can't take before tomorrow. */
  hasten() {
    for (const { sleep } of this.#sending.values()) sleep.hasten();
  }

  /** Stops sending. */
  stop() {
    this.#stopped = true;
    for (const { sleep } of this.#sending.values()) sleep.wake();
  }

  /** @param {Delivery} delivery */
  async #deliver(delivery) {
    const backoff = new Backoff();
    this.#sending.set(delivery.call.id, delivery);
    while (!this.#stopped) {
      const { call, answer, sleep } = delivery;
      try {
        await this.#options.send(call, answer);
        if (delivery.answer !== answer) continue;
        this.#sending.delete(call.id);
        return this.#options.delivered(call, answer);
      } catch (error) {
        if (!isTransient(error)) {
          if (delivery.answer !== answer) continue;
          this.#sending.delete(call.id);
          return this.#options.refused(call, answer, error);
        }
        this.#options.fail(error);
        await sleep.start(backoff.next(retryAfterMs(error)), fixedWaitMs(error));
      }
    }
  }
}
