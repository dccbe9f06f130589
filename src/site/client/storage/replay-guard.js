/**
 * Replay protection for encrypted sessions: the ids of the requests that have run. The request store evicts old entries,
 * and anybody with the code can fill it; an untrusted server must not be able to make a tab forget a request and rerun it.
 * So a request whose id can't be stored is refused, and room for the ids is reserved when the session starts.
 */

import { WaypostError } from "../errors.js";
import { storageKey } from "./tab-storage.js";

/** Requests that one session may run. Then it is full, because a forgotten id could run again. */
const MAX_SEEN = 10_000;

/** Characters reserved for each of them: an id as this client makes it, and a comma. */
const RESERVED_CHARS = 33;

/** Stored in place of the ids when the session is over: no id has a comma in it. */
const OVER = ",";

/** @typedef {import("./tab-storage.js").StateStorage} StateStorage */
/** @typedef {import("./request-store.js").AnswerError} AnswerError */

/** The answer to a request that did not run because its id could not be stored. @type {AnswerError} */
export const NOT_REMEMBERED = {
  code: "not_remembered",
  message: "The tab's storage is full, so it could not remember this request and did not run it.",
};

export class ReplayGuard {
  #key;
  #reserveKey;
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
   * @param {StateStorage | null} storage null: the ids are kept for as long as the page, and so must be the session
   * @param {(error: unknown) => void} fail called when something can't be stored
   * @param {number} [limit]
   */
  constructor(name, storage, fail, limit = MAX_SEEN) {
    this.#key = storageKey("seen", name);
    this.#reserveKey = storageKey("reserve", name);
    this.#storage = storage;
    this.#fail = fail;
    this.#limit = limit;
  }

  /** Whether the session `name` has ended in this tab. @param {string} name @param {StateStorage} storage */
  static isOver(name, storage) {
    return storage.getItem(storageKey("seen", name)) === OVER;
  }

  /** Reserves storage for the ids that the session may still run. Without room, requests are refused when it runs out. */
  reserve() {
    this.#read();
    if (this.#isOver || !this.#storage) return;
    try {
      // The key itself takes room too.
      this.#write(this.#stored);
      this.#fillReserve();
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Admits the request `id`, once, if its id can be stored.
   * @param {string} id
   * @returns {AnswerError | null} null: it may run; else the error to answer with
   */
  admit(id) {
    const refusal = this.refusal(id);
    if (refusal) return refusal;
    try {
      this.#store([...this.#ids, id].join(","));
    } catch (error) {
      this.#fail(error);
      return NOT_REMEMBERED;
    }
    this.#ids.add(id);
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

  /** The ids that were admitted. */
  get ids() {
    this.#read();
    return [...this.#ids];
  }

  /** Adds ids that another page of this session has admitted. @param {string[]} ids @returns {boolean} whether they are stored */
  adopt(ids) {
    this.#read();
    if (this.#isOver) return false;
    for (const id of ids) this.#ids.add(id);
    try {
      this.#store([...this.#ids].join(","));
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Ends the session: nothing runs any more, in later pages of this tab either, so the ids are dropped. */
  close() {
    this.#isOver = true;
    this.#ids.clear();
    try {
      this.#storage?.removeItem(this.#reserveKey);
      this.#write(OVER);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads what is stored, also by another host of this session. Ids are only ever added. */
  #read() {
    const text = this.#storage?.getItem(this.#key) ?? "";
    if (text === this.#stored) return;
    this.#stored = text;
    if (text === OVER) this.#isOver = true;
    else if (text) for (const id of text.split(",")) this.#ids.add(id);
  }

  /** Stores `text`, in reserved room if there is no other; throws if it can't be stored. @param {string} text */
  #store(text) {
    try {
      this.#write(text);
    } catch {
      this.#fillReserve(1);
      this.#write(text);
    }
  }

  /** Makes the reserve as large as the ids that may still come, less `fewer`. @param {number} [fewer] */
  #fillReserve(fewer = 0) {
    const left = Math.max(0, this.#limit - this.#ids.size - fewer);
    this.#storage?.setItem(this.#reserveKey, " ".repeat(left * RESERVED_CHARS));
  }

  /** @param {string} text */
  #write(text) {
    if (!this.#storage) return;
    this.#storage.setItem(this.#key, text);
    // A storage may drop what it has no room for without an error.
    if (this.#storage.getItem(this.#key) !== text) throw new WaypostError("not_stored", "The tab's storage did not keep what was stored.");
    this.#stored = text;
  }
}
