/** Waiting before another attempt: how long, and how to be woken early. */

/** Exponential backoff with full jitter: many clients that lost one server must not come back in one moment. */
export class Backoff {
  #attempts = 0;

  /** @param {{ baseMs?: number, capMs?: number, random?: () => number }} [options] */
  constructor({ baseMs = 1000, capMs = 30_000, random = Math.random } = {}) {
    this.baseMs = baseMs;
    this.capMs = capMs;
    this.random = random;
  }

  /**
   * The next delay.
   * @param {number} [floorMs] never less than this: what the server asked for
   */
  next(floorMs = 0) {
    const ceiling = Math.min(this.capMs, this.baseMs * 2 ** Math.min(this.#attempts++, 16));
    return Math.round(floorMs + this.random() * ceiling);
  }

  /** Something went well: begin again with short delays. */
  reset() {
    this.#attempts = 0;
  }
}

/** A sleep that can be cut short; one at a time. */
export class CancellableSleep {
  /** @type {(() => void) | null} */
  #wake = null;

  /**
   * @param {number} ms
   * @returns {Promise<void>}
   */
  start(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const nap = this;
      function done() {
        clearTimeout(timer);
        nap.#wake = null;
        resolve();
      }
      this.#wake = done;
    });
  }

  /** End the sleep now, if there is one. */
  wake() {
    this.#wake?.();
  }
}
