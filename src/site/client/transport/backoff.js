/** How long to wait before another attempt, and a sleep that can be ended early. */

/** A sleep looks at the clock as often as this: a timer stands still while the machine sleeps. */
const LOOK_MS = 60_000;

/** What a server asked for ends for all its clients in the same moment: they come back within a tenth of it, or this. */
const MAX_SPREAD_MS = 60_000;

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
    return Math.round(floorMs + this.random() * Math.max(ceiling, Math.min(floorMs / 10, MAX_SPREAD_MS)));
  }

  /** Starts again with short delays, after a success. */
  reset() {
    this.#attempts = 0;
  }
}

/** A sleep that can be ended early. Only one can run at a time. */
export class CancellableSleep {
  /** @type {(() => void) | null} */
  #end = null;
  #notBefore = 0;

  /**
   * @param {number} ms by the clock, also if the machine sleeps meanwhile
   * @param {number} [fixedMs] `hasten()` does not end it before
   * @returns {Promise<void>}
   */
  start(ms, fixedMs = 0) {
    const until = Date.now() + ms;
    this.#notBefore = Date.now() + fixedMs;
    return new Promise((resolve) => {
      /** @type {ReturnType<typeof setTimeout>} */
      let timer;
      // Counted down besides, so that a clock that is put back does not make it longer.
      const look = (/** @type {number} */ leftMs) => {
        if (leftMs <= 0 || Date.now() >= until) return end();
        const step = Math.min(leftMs, LOOK_MS);
        timer = setTimeout(look, step, leftMs - step);
      };
      const end = () => {
        clearTimeout(timer);
        this.#end = null;
        resolve();
      };
      this.#end = end;
      look(ms);
    });
  }

  /** Ends the running sleep, if any. */
  wake() {
    this.#end?.();
  }

  /** Ends it, if its fixed part is over. */
  hasten() {
    if (Date.now() >= this.#notBefore) this.wake();
  }
}
