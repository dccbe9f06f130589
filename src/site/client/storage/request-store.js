/**
 * The state of each request in this tab. It makes requests idempotent: none runs twice, and a repeat gets the first answer,
 * also after a reload. Kept in memory and, as far as it fits, in `sessionStorage`, which lives exactly as long as the tab.
 */

import { isCursor } from "../grammar.js";
import { storageKey } from "./tab-storage.js";

/** Requests kept. An answered request can be redelivered for two minutes, until its removal is visible everywhere. */
const MAX_ENTRIES = 10_000;

/** Of these, the newest that are stored at each change. */
const MAX_STORED_ENTRIES = 200;

/** Characters stored: browsers give an origin about five million, and the page needs some of them. */
const MAX_STORED_CHARS = 1_000_000;

/** A larger answer is kept in memory alone. */
const LARGE_CHARS = 300_000;

/** Characters of large answers kept in memory once they are delivered: the server has them too. */
const MAX_LARGE_CHARS = 32_000_000;

/** @typedef {import("./tab-storage.js").StateStorage} StateStorage */
/** @typedef {{ code: string, message: string, data?: unknown }} AnswerError */
/** @typedef {{ result: unknown } | { error: AnswerError }} Answer */
/** @typedef {import("../crypto/cipher.js").Call} Call */

/**
 * `running`: a handler was started; `answered`: it has returned; `cancelled`: the guest has withdrawn the request.
 * @typedef {object} Entry
 * @property {"running" | "answered" | "cancelled"} status
 * @property {string} [tool]
 * @property {Answer} [answer] missing if it was delivered and too large to keep
 * @property {boolean} [delivered] the server has acknowledged the answer
 * @property {boolean} [sealed] its session is encrypted: the answer must never be sent unencrypted
 */

export class RequestStore {
  #key;
  #cursorKey;
  #storage;
  #isSealed;
  #fail;
  #isClosed = false;
  /** Called with each change. @type {(id: string, entry: Entry) => void} */
  changed = () => {};
  /** In the order of the last change. @type {Map<string, Entry>} */
  #entries = new Map();
  /** What is stored for each entry. @type {WeakMap<Entry, string>} */
  #texts = new WeakMap();
  /** The sizes of large answers that are delivered, oldest first, by the request's id. @type {Map<string, number>} */
  #large = new Map();

  /**
   * @param {{ memory: string, key?: string }} session
   * @param {StateStorage | null} storage
   * @param {(error: unknown) => void} fail called when something can't be stored
   */
  constructor({ memory, key }, storage, fail) {
    this.#key = storageKey("ledger", memory);
    this.#cursorKey = storageKey("cursor", memory);
    this.#storage = storage;
    this.#isSealed = key !== undefined;
    this.#fail = fail;
    this.refresh();
  }

  /** The position in the stream. After a reload, the server marks requests up to it as replays. */
  get cursor() {
    const cursor = this.#storage?.getItem(this.#cursorKey);
    return isCursor(cursor) ? cursor : "";
  }

  set cursor(cursor) {
    if (this.#isClosed) return;
    try {
      this.#storage?.setItem(this.#cursorKey, cursor);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {string} id */
  find(id) {
    return this.#entries.get(id);
  }

  /**
   * @param {string} id
   * @param {Entry} entry
   */
  set(id, entry) {
    this.#put(id, this.#isSealed ? { ...entry, sealed: true } : entry);
    if (this.#entries.size > MAX_ENTRIES) this.#shed();
    this.#store();
    this.changed(id, this.#entries.get(id) ?? entry);
  }

  /** Resolves when all that is stored is kept; null where storing is keeping. @returns {Promise<void> | null} */
  written() {
    return this.#storage?.written?.() ?? null;
  }

  /** All entries, in the order of their last change. */
  get entries() {
    return [...this.#entries];
  }

  /** Takes over what another page of this session remembers. @param {[string, Entry][]} entries @param {string} cursor */
  adopt(entries, cursor) {
    for (const [id, entry] of entries) this.#put(id, entry);
    if (isCursor(cursor)) this.cursor = cursor;
    this.#store();
  }

  /** Reads again what is stored: this page was in the back/forward cache, or prerendered, and another one was the host. */
  refresh() {
    for (const [id, entry] of this.#stored()) {
      // A large answer is stored without itself: what this page has is more.
      if (this.#entries.get(id)?.answer && !entry.answer) continue;
      this.#put(id, entry);
    }
  }

  /** The answers that the server has not acknowledged. @returns {[Call, Answer][]} */
  undelivered() {
    /** @type {[Call, Answer][]} */
    const found = [];
    for (const [id, { status, tool = "", answer, delivered }] of this.#entries) {
      if (status === "answered" && !delivered && answer) found.push([{ id, tool }, answer]);
    }
    return found;
  }

  /** Deletes everything, in storage too, and stores nothing more: the session is over. */
  close() {
    this.#isClosed = true;
    this.#entries.clear();
    this.#large.clear();
    this.#storage?.removeItem(this.#key);
    this.#storage?.removeItem(this.#cursorKey);
  }

  /** Drops the oldest entry that is neither running nor undelivered. */
  #shed() {
    for (const [id, entry] of this.#entries) {
      if (entry.status === "running" || (entry.status === "answered" && !entry.delivered)) continue;
      this.#entries.delete(id);
      this.#large.delete(id);
      return;
    }
  }

  /**
   * Writes down what is stored for an entry. Of one with a large answer it is that it ran: after a reload it is then not
   * run again if its answer was delivered, and otherwise runs as one that was broken off.
   * @param {string} id
   * @param {Entry} entry
   */
  #describe(id, entry) {
    const text = JSON.stringify([id, entry]);
    this.#large.delete(id);
    if (text.length <= LARGE_CHARS) return void this.#texts.set(entry, text);
    const { answer, ...rest } = entry;
    const brief = entry.delivered ? rest : { ...rest, status: "running" };
    this.#texts.set(entry, JSON.stringify([id, brief]));
    if (entry.delivered) this.#keepLarge(id, text.length);
  }

  /** @param {string} id @param {number} size */
  #keepLarge(id, size) {
    this.#large.set(id, size);
    let total = 0;
    for (const chars of this.#large.values()) total += chars;
    for (const [oldest, chars] of this.#large) {
      if (total <= MAX_LARGE_CHARS) return;
      total -= chars;
      this.#large.delete(oldest);
      // The server has it: a repeat of the request needs no answer of this tab.
      delete this.#entries.get(oldest)?.answer;
    }
  }

  /** @returns {[string, Entry][]} */
  #stored() {
    try {
      const text = this.#storage?.getItem(this.#key);
      return text ? JSON.parse(text) : [];
    } catch (error) {
      this.#fail(error);
      return [];
    }
  }

  /** Makes it the last changed entry. @param {string} id @param {Entry} entry */
  #put(id, entry) {
    // An encrypted session ignores entries of one that is not, and vice versa, whatever the name of the stored state.
    if ((entry.sealed ?? false) !== this.#isSealed) return;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#describe(id, entry);
  }

  #store() {
    if (!this.#storage || this.#isClosed) return;
    try {
      this.#storage.setItem(this.#key, this.#text(MAX_STORED_CHARS));
    } catch (error) {
      this.#fail(error);
      this.#storeLess();
    }
  }

  /**
   * The storage is full: stores fewer entries, or none. What was stored before must not stay: there, a request that is
   * answered by now may still be `running`, and a reload would run it again.
   */
  #storeLess() {
    this.#storage?.removeItem(this.#key);
    for (const chars of [MAX_STORED_CHARS / 10, MAX_STORED_CHARS / 100]) {
      try {
        return this.#storage?.setItem(this.#key, this.#text(chars));
      } catch {
        // Reported already.
      }
    }
  }

  /**
   * The newest entries as JSON, in `room` characters. Newest first, so that what does not fit is the oldest.
   * @param {number} room
   */
  #text(room) {
    const kept = [];
    for (const [id, entry] of [...this.#entries].reverse()) {
      const text = this.#texts.get(entry) ?? JSON.stringify([id, entry]);
      if (kept.length === MAX_STORED_ENTRIES) break;
      if (text.length > room) continue;
      room -= text.length;
      kept.push(text);
    }
    return `[${kept.reverse().join(",")}]`;
  }
}
