/** ProgressSender of one request: in order, one report on the way at a time, and only the latest of those that wait. */

export class ProgressSender {
  #send;
  #fail;
  /** @type {{ value: unknown } | null} */
  #next = null;
  /** @type {Promise<void> | null} */
  #running = null;

  /**
   * @param {(value: unknown) => Promise<unknown>} send
   * @param {(error: unknown) => void} fail a report was lost; the answer is not
   */
  constructor(send, fail) {
    this.#send = send;
    this.#fail = fail;
  }

  /** @param {unknown} value any JSON */
  report(value) {
    this.#next = { value };
    this.#running ??= this.#drain();
  }

  /** Settles when nothing is on the way any more, so that the answer comes last. Drops what waits. */
  async close() {
    this.#next = null;
    await this.#running;
  }

  async #drain() {
    while (this.#next) {
      const { value } = this.#next;
      this.#next = null;
      try {
        await this.#send(value);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#running = null;
  }
}
