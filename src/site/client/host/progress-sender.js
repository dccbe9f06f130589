/** Sends the progress of one request in order, one report at a time. Of waiting reports only the latest is sent. */

export class ProgressSender {
  #send;
  #fail;
  /** @type {{ value: unknown } | null} */
  #next = null;
  /** @type {Promise<void> | null} */
  #running = null;

  /**
   * @param {(value: unknown) => Promise<unknown>} send
   * @param {(error: unknown) => void} fail called when a report could not be sent; the answer is not affected
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

  /** Drops the waiting report and resolves when none is being sent, so that the answer comes last. */
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
