/**
 * Replay protection for encrypted sessions: the ids of the requests that have run. The request store evicts old entries,
 * and anybody with the code can fill it; an untrusted server must not be able to make a tab forget a request and rerun it.
 */

import { storageKey } from "./tab-storage.js";

/** Requests that one session may run. Then it is full, because a forgotten id could run again. */
const MAX_SEEN = 10_000;

/** Stored in place of the ids when the session is over: no id has a comma in it. */
const OVER = ",";

/** @typedef {import("./request-store.js").AnswerError} AnswerError */

export class ReplayGuard {
  #key;
  #storage;
  #fail;
  #limit;
  #isOver = false;
  /** The text in storage, as far as this page knows. */
  #stored = "";
  /** @type {Set<string>} */
  #ids = new Set();

  /**
   * @param {string} name of the session's memory
   * @param {Storage | null} storage
   * @param {(error: unknown) => void} fail called when something can't be stored
   * @param {number} [limit]
   */
  constructor(name, storage, fail, limit = MAX_SEEN) {
    this.#key = storageKey("seen", name);
    this.#storage = storage;
    this.#fail = fail;
    this.#limit = limit;
  }

  /** Whether the session `name` has ended in this tab. @param {string} name @param {Storage} storage */
  static isOver(name, storage) {
    return storage.getItem(storageKey("seen", name)) === OVER;
  }

  /**
   * Admits the request `id`, once.
   * @param {string} id
   * @returns {AnswerError | null} null: it may run; else the error to answer with
   */
  admit(id) {
    const refusal = this.refusal(id);
    if (refusal) return refusal;
    this.#ids.add(id);
    this.#store([...this.#ids].join(","));
    return null;
  }

  /** The error that `admit` would return, without admitting the request. @param {string} id @returns {AnswerError | null} */
  refusal(id) {
    this.#read();
    if (this.#isOver) return { code: "session_over", message: "This session has ended in its tab: open a new one." };
    if (this.#ids.has(id)) {
      return { code: "already_run", message: "This request was run before; its answer is not remembered any more." };
    }
    if (this.#ids.size >= this.#limit) {
      return { code: "session_full", message: `This session has run ${this.#limit} requests: open a new one.` };
    }
    return null;
  }

  /** Ends the session: nothing runs any more, in later pages of this tab either, so the ids are dropped. */
  close() {
    this.#isOver = true;
    this.#ids.clear();
    this.#store(OVER);
  }

  /** Reads what is stored, also by another host of this session. Ids are only ever added. */
  #read() {
    const text = this.#storage?.getItem(this.#key) ?? "";
    if (text === this.#stored) return;
    this.#stored = text;
    if (text === OVER) this.#isOver = true;
    else if (text) for (const id of text.split(",")) this.#ids.add(id);
  }

  /** @param {string} text */
  #store(text) {
    try {
      this.#storage?.setItem(this.#key, text);
      this.#stored = text;
    } catch (error) {
      this.#fail(error);
    }
  }
}
