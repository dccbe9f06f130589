/** Sessions as their host has them: opened, kept across a reload, extended, ended. */

import { newKey } from "../crypto/cipher.js";
import { Http } from "../transport/http.js";
import { newId } from "../ids.js";
import { inviteLink } from "./invite.js";
import { isRetained, retain, storageName } from "../storage/tab-storage.js";
import { ReplayGuard } from "../storage/replay-guard.js";

const STORAGE_KEY = "waypost.session";

/**
 * @typedef {object} SessionRecord
 * @property {string} baseUrl
 * @property {string} code what a guest needs
 * @property {string} hostToken what makes its holder the host: never show it
 * @property {string} [sessionId] owns its documents and pages, which guests see as resources: never show it
 * @property {string} createdAt
 * @property {string} expiresAt
 * @property {string} [label]
 * @property {unknown} [data]
 * @property {string} [tabId] what this tab alone calls it; the server never hears that
 * @property {string} [key] of an encrypted session: what guests need besides the code, and the server must not have
 */

/** The server this module was loaded from. */
export function ownOrigin() {
  return new URL("/", import.meta.url).href;
}

/** The tab's own storage, or null where the browser refuses it. @returns {Storage | null} */
export function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/** A session, in the hands of its host. */
export class Session {
  #http;
  #record;
  #isOver = false;

  /** @param {SessionRecord} record */
  constructor(record) {
    this.#record = { ...record };
    this.#http = new Http(record.baseUrl, record.hostToken);
  }

  get baseUrl() {
    return this.#record.baseUrl;
  }

  get code() {
    return this.#record.code;
  }

  get hostToken() {
    return this.#record.hostToken;
  }

  /** What the server can't read without; undefined: the session is not encrypted. */
  get key() {
    return this.#record.key;
  }

  /** What to give to a guest: it carries the code and, after a `#`, which is sent to no server, the key. */
  get link() {
    return inviteLink(this.#record);
  }

  /** The id for `Pages` and documents that this session's guests are to see as MCP resources; a secret. */
  get sessionId() {
    return this.#record.sessionId;
  }

  get label() {
    return this.#record.label;
  }

  get data() {
    return this.#record.data;
  }

  /** @returns {Date} */
  get createdAt() {
    return new Date(this.#record.createdAt);
  }

  /** When it ends unless it is extended, as far as this tab has heard. @returns {Date} */
  get expiresAt() {
    return new Date(this.#record.expiresAt);
  }

  /** The name under which a tab remembers what it did for it: no server can choose it. */
  get memory() {
    return storageName(this.#record);
  }

  /** Whether this tab has heard that it is over. */
  get isOver() {
    return this.#isOver;
  }

  /** Requests with the host's rights. */
  get http() {
    return this.#http;
  }

  /**
   * Take over what the server said about it.
   * @param {{ expiresAt?: string }} news
   */
  update({ expiresAt }) {
    if (expiresAt) this.#record.expiresAt = expiresAt;
  }

  /** A new full time to live. An open host stream does that by itself. */
  async extend() {
    const { data } = await this.#http.json("POST", `/api/sessions/${this.code}/extend`);
    this.update(data);
    return this.expiresAt;
  }

  /** End it for everybody. */
  async end() {
    await this.#http.json("DELETE", `/api/sessions/${this.code}`);
  }

  /**
   * It is over: neither `save()` nor `restore()` brings it back. A `Host` says so as soon as it hears it.
   * @param {Storage | null} [storage] where it may have been kept, besides the tab's own
   */
  markOver(storage = tabStorage()) {
    this.#isOver = true;
    for (const place of [storage, tabStorage()]) if (kept(place)?.memory === this.memory) Session.forget(place);
  }

  /** @returns {SessionRecord} */
  toJSON() {
    return { ...this.#record };
  }

  /**
   * Keep it for a reload of this tab, unless it is over.
   * @param {Storage | null} [storage]
   */
  save(storage = tabStorage()) {
    if (this.#isOver) return;
    storage?.setItem(STORAGE_KEY, JSON.stringify(this));
    retain(this.memory, storage, (error) => {
      throw error;
    });
  }

  /**
   * The session this tab had before it was reloaded, unless it is over. An encrypted one comes back only with what the
   * tab remembers of it: without that, requests could run again.
   * @param {Storage | null} [storage]
   * @returns {Session | null}
   */
  static restore(storage = tabStorage()) {
    const session = kept(storage);
    if (!storage || !session || !(session.expiresAt.getTime() > Date.now())) return null;
    const { key, memory } = session;
    return key === undefined || (isRetained(memory, storage) && !ReplayGuard.isOver(memory, storage)) ? session : null;
  }

  /** @param {Storage | null} [storage] */
  static forget(storage = tabStorage()) {
    storage?.removeItem(STORAGE_KEY);
  }
}

/** @param {Storage | null} storage @returns {Session | null} */
function kept(storage) {
  try {
    const text = storage?.getItem(STORAGE_KEY);
    return text ? new Session(JSON.parse(text)) : null;
  } catch {
    return null;
  }
}

/**
 * Open a session.
 * @param {object} [options]
 * @param {string} [options.baseUrl] the server; by default the one this module came from
 * @param {number} [options.ttl] seconds it lives unless it is extended
 * @param {string} [options.label] shown to guests
 * @param {unknown} [options.data] any JSON, shown to guests
 * @param {boolean} [options.encrypted] keep arguments and answers from the server; guests then need `session.link`
 * @returns {Promise<Session>}
 */
export async function createSession({ baseUrl = ownOrigin(), ttl, label, data, encrypted = false } = {}) {
  // The key comes first: a page that can't encrypt must not open a session that anybody can read.
  const key = encrypted ? newKey() : undefined;
  const reply = await new Http(baseUrl).json("POST", "/api/sessions", { body: { ttl, label, data } });
  const { code, hostToken, sessionId, createdAt, expiresAt } = reply.data;
  return new Session({ baseUrl, code, hostToken, sessionId, tabId: newId(), createdAt, expiresAt, label, data, key });
}
