/** A guest's stream of progress reports. It is open only while a call listens, because an open stream costs the server reads. */

import { isAboutRequest } from "../grammar.js";
import { EventStream } from "../transport/event-stream.js";

/** @typedef {import("../transport/http.js").Http} Http */
/** Decrypts a report of an encrypted session, or rejects. @typedef {(value: unknown) => Promise<unknown>} Open */

export class ProgressFeed {
  #http;
  #code;
  /** @type {Map<string, { listener: (value: any) => void, open: Open | null }>} */
  #followed = new Map();
  /** Reports are decrypted in their order. @type {Promise<void>} */
  #turn = Promise.resolve();
  /** @type {EventStream | null} */
  #stream = null;
  /** Cursors of received events, because a stream that reconnects repeats some. @type {Set<string>} */
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
   * Calls `listener` with each progress report of the request `id`.
   * @param {string} id
   * @param {(value: any) => void} listener
   * @param {Open | null} [open]
   * @returns {() => void} stops following
   */
  follow(id, listener, open = null) {
    this.#followed.set(id, { listener, open });
    if (!this.#stream) {
      this.#stream = this.#make();
      this.#stream.start();
    }
    return () => {
      this.#followed.delete(id);
      if (this.#followed.size > 0) return;
      this.#stream?.stop();
      this.#stream = null;
      this.#seen.clear();
    };
  }

  #make() {
    // Progress is optional: the answer comes by another request, which also reports the server's errors.
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
    if (type !== "response" || !isAboutRequest(data) || data.final !== false || this.#seen.has(data.cursor)) return;
    this.#seen.add(data.cursor);
    const followed = this.#followed.get(data.id);
    if (!followed?.open) return followed?.listener(data.result);
    const { listener, open } = followed;
    this.#turn = this.#turn.then(async () => {
      // A report that can't be decrypted does not come from the tab.
      const value = await open(data.result).catch(() => undefined);
      if (value !== undefined && this.#followed.get(data.id) === followed) queueMicrotask(() => listener(value));
    });
  }
}
