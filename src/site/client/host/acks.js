/** Acknowledgements, sent in batches. If one is lost, the server redelivers the message and it is acknowledged again. */

/** Long enough to gather a burst, too short to be noticed. */
const GATHER_MS = 50;

/** The most that the server accepts at a time. */
const MAX_CURSORS = 100;

export class Acks {
  #send;
  #fail;
  /** @type {Set<string>} */
  #cursors = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {(cursors: string[]) => Promise<unknown>} send
   * @param {(error: unknown) => void} fail
   */
  constructor(send, fail) {
    this.#send = send;
    this.#fail = fail;
  }

  /** @param {string} cursor */
  add(cursor) {
    this.#cursors.add(cursor);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  /** Stops sending. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#cursors.clear();
  }

  #flush() {
    this.#timer = undefined;
    const all = [...this.#cursors];
    this.#cursors.clear();
    for (let from = 0; from < all.length; from += MAX_CURSORS) {
      this.#send(all.slice(from, from + MAX_CURSORS)).catch(this.#fail);
    }
  }
}
