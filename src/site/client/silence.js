/** Notices that a connection has died without a word, which TCP may take hours to notice. */

import { TransportError } from "./errors.js";

/** The server sends a heartbeat every 15 s: after three missed ones the connection is dead. */
const SILENCE_MS = 45_000;

/** Aborts an attempt that has been silent for too long. */
export class SilenceGuard {
  #timer;
  #abort;

  /** @param {AbortController} attempt */
  constructor(attempt) {
    this.#abort = () => attempt.abort(new TransportError("The connection went silent."));
    this.#timer = setTimeout(this.#abort, SILENCE_MS);
  }

  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#abort, SILENCE_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
