/** How often a growing text is shown: as often as the eye can tell, and never so often that the page does nothing else. */

const SHORTEST_MS = 40;

/** The share of the time that showing it may take is one in so many. */
const SHARE = 5;

export class Pace {
  #show;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #restsUntil = 0;

  /** @param {() => void} show */
  constructor(show) {
    this.#show = show;
  }

  /** Shows it now, or as soon as the last time is long enough ago. */
  ask() {
    const wait = this.#restsUntil - performance.now();
    if (wait <= 0) this.#now();
    else this.#timer ??= setTimeout(() => this.#now(), wait);
  }

  /** What was asked for is not shown any more. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #now() {
    this.stop();
    const start = performance.now();
    this.#show();
    const end = performance.now();
    this.#restsUntil = end + Math.max(SHORTEST_MS, (SHARE - 1) * (end - start));
  }
}
