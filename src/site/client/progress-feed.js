/** A guest's stream of progress: open while at least one call wants it, since an open stream costs its server reads. */

import { EventStream } from "./stream.js";

/** @typedef {import("./http.js").Http} Http */

export class ProgressFeed {
  #http;
  #code;
  /** @type {Map<string, (value: any) => void>} */
  #listeners = new Map();
  /** @type {EventStream | null} */
  #stream = null;
  /** Events seen, since a stream that reconnects shows some again. @type {Set<string>} */
  #seen = new Set();

  /**
   * @param {Http} http
   * @param {string} code
   */
  constructor(http, code) {
    this.#http = http;
    this.#code = code;
  }

  /**
   * Call `listener` with each progress of the request `id`.
   * @param {string} id
   * @param {(value: any) => void} listener
   * @returns {() => void} stops following
   */
  follow(id, listener) {
    this.#listeners.set(id, listener);
    if (!this.#stream) {
      this.#stream = this.#make();
      this.#stream.start();
    }
    return () => {
      this.#listeners.delete(id);
      if (this.#listeners.size > 0) return;
      this.#stream?.stop();
      this.#stream = null;
      this.#seen.clear();
    };
  }

  #make() {
    // Progress is an extra: the answer comes another way, and what is wrong with the server shows there.
    const ignore = () => {};
    return new EventStream({
      open: (cursor, signal) => {
        /** @type {Record<string, string>} */
        const headers = { accept: "text/event-stream" };
        if (cursor) headers["last-event-id"] = cursor;
        return this.#http.open("GET", "/api/stream", { query: { code: this.#code }, headers, signal });
      },
      receive: (type, data) => this.#receive(type, data),
      report: ignore,
      fail: ignore,
    });
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #receive(type, data) {
    if (type !== "response" || data.final !== false || this.#seen.has(data.cursor)) return;
    this.#seen.add(data.cursor);
    this.#listeners.get(data.id)?.(data.result);
  }
}
