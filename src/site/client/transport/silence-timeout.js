/** Detects a dead connection by its missing heartbeats; TCP alone may take hours. */

import { TransportError } from "../errors.js";

/** The server sends a heartbeat every 15 s: after three missed ones the connection is dead. */
const SILENCE_MS = 45_000;

/** Aborts a connection attempt on which nothing has arrived for too long. */
export class SilenceTimeout {
  #timer;
  #abort;
  #silenceMs;

  /**
   * @param {AbortController} attempt
   * @param {number} [silenceMs]
   */
  constructor(attempt, silenceMs = SILENCE_MS) {
    this.#silenceMs = silenceMs;
    this.#abort = () => attempt.abort(new TransportError("The connection went silent."));
    this.#timer = setTimeout(this.#abort, silenceMs);
  }

  /** @param {number} [silenceMs] the new limit from now on */
  heard(silenceMs = this.#silenceMs) {
    this.#silenceMs = silenceMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#abort, silenceMs);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
