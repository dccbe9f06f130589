/** How long to wait before another attempt, and a sleep that can be ended early. */

/** Exponential backoff with full jitter: clients that lost the same server must not all reconnect in the same moment. */
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

  /** Starts again with short delays, after a success. */
  reset() {
    this.#attempts = 0;
  }
}

/** A sleep that can be ended early. Only one can run at a time. */
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
      const sleep = this;
      function done() {
        clearTimeout(timer);
        sleep.#wake = null;
        resolve();
      }
      this.#wake = done;
    });
  }

  /** Ends the running sleep, if any. */
  wake() {
    this.#wake?.();
  }
}
