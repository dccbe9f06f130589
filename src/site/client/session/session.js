/** A session from the host's side: created, saved across a reload, extended, ended. */

import { browserStorage, claim, renew, requireMcp, withSecret } from "./address.js";
import { newKey } from "../crypto/cipher.js";
import { isoTime, newSession } from "../grammar.js";
import { Http } from "../transport/http.js";
import { newId } from "../ids.js";
import { ownOrigin } from "../server.js";
import { inviteLink } from "./invite.js";
import { SessionLock } from "./session-lock.js";
import { isRetained, retain, storageName } from "../storage/tab-storage.js";
import { ReplayGuard } from "../storage/replay-guard.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */

const STORAGE_KEY = "waypost.session";

/**
 * @typedef {object} SessionRecord
 * @property {string} baseUrl
 * @property {string} code what a guest needs
 * @property {string} hostToken grants the host's rights: never show it
 * @property {string} [sessionId] grants access to its documents and pages, which guests see as MCP resources: never show it
 * @property {string} createdAt
 * @property {string} expiresAt
 * @property {string} [label]
 * @property {unknown} [data]
 * @property {string} [address] the MCP address that it has taken: a secret, like the code, but one that stays
 * @property {boolean} [mapToolNames] false: MCP clients see the tools under their own names
 * @property {string} [tabId] the name of its stored state in this tab; never sent to the server
 * @property {string} [key] of an encrypted session: guests need it besides the code, and the server must not learn it
 */

/** The tab's own storage, or null where the browser blocks it. @returns {StateStorage | null} */
export function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/** A session, as its host holds it. */
export class Session {
  #http;
  #record;
  #isOver = false;
  #lock;

  /** @param {SessionRecord} record */
  constructor(record) {
    this.#record = { ...record };
    this.#http = new Http(record.baseUrl, record.hostToken);
    this.#lock = new SessionLock(this.memory);
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

  /** The encryption key, which the server does not have; undefined if the session is not encrypted. */
  get key() {
    return this.#record.key;
  }

  /** The link to give to a guest. It holds the code and the key after a `#`, which browsers send to no server. */
  get link() {
    return inviteLink(this.#record);
  }

  /** The MCP address that it has taken; undefined if it was created without one, or the browser can't keep one. */
  get address() {
    return this.#record.address;
  }

  /**
   * The URL to configure an MCP client with: of the address, which leads to the newest session of this browser and stays,
   * or of the code, which ends with the session. MCP clients can't use an encrypted session.
   */
  get mcpUrl() {
    return new URL(`/mcp/${this.address ?? this.code}`, this.baseUrl).href;
  }

  /** The id under which `Pages` and documents are stored that guests see as MCP resources; a secret. */
  get sessionId() {
    return this.#record.sessionId;
  }

  get label() {
    return this.#record.label;
  }

  get data() {
    return this.#record.data;
  }

  /** Whether MCP clients see a tool that is called `cart.add` as `cart_add`: many models take no other names. */
  get mapToolNames() {
    return this.#record.mapToolNames !== false;
  }

  /** @returns {Date} */
  get createdAt() {
    return new Date(this.#record.createdAt);
  }

  /** When it expires unless it is extended, as far as this tab knows. @returns {Date} */
  get expiresAt() {
    return new Date(this.#record.expiresAt);
  }

  /** The name of its stored state in this tab, which no server can choose. */
  get memory() {
    return storageName(this.#record);
  }

  /** Whether this tab knows that it is over. */
  get isOver() {
    return this.#isOver;
  }

  /** Decides which of several pages with this session is its host. */
  get lock() {
    return this.#lock;
  }

  /** Sends requests with the host's rights. */
  get http() {
    return this.#http;
  }

  /**
   * Updates it from an event of the server. Anything but an ISO 8601 time is ignored.
   * @param {{ expiresAt?: string }} news
   */
  update({ expiresAt }) {
    this.#record.expiresAt = isoTime(expiresAt) ?? this.#record.expiresAt;
  }

  /** Extends it by its full time to live. An open host stream does this automatically. */
  async extend() {
    const { data } = await this.#http.json("POST", `/api/sessions/${this.code}/extend`);
    this.update(data);
    return this.expiresAt;
  }

  /**
   * Takes the browser's MCP address, also from a newer session: one whose tab was closed, say.
   * @param {StateStorage | null} [storage] where its secret is kept
   * @returns {Promise<string>} the address
   */
  async claimAddress(storage = browserStorage()) {
    return (this.#record.address = await claim(this, storage));
  }

  /**
   * Withdraws the browser's MCP address for good, and takes a new one. Clients that are configured with the old one can't
   * reach this browser any more: here immediately, elsewhere within about two minutes. If it rejects, call it again.
   * @param {StateStorage | null} [storage] where its secret is kept
   * @returns {Promise<string>} the new address
   */
  async renewAddress(storage = browserStorage()) {
    return (this.#record.address = await renew(this, storage));
  }

  /** Ends it for the host and all guests. */
  async end() {
    await this.#http.json("DELETE", `/api/sessions/${this.code}`);
  }

  /**
   * Marks it as over, so that neither `save()` nor `restore()` brings it back. A `Host` calls this when the session ends.
   * @param {StateStorage | null} [storage] where it may have been saved, besides the tab's own
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
   * Saves it for a reload of this tab, unless it is over.
   * @param {StateStorage | null} [storage]
   */
  save(storage = tabStorage()) {
    if (this.#isOver) return;
    storage?.setItem(STORAGE_KEY, JSON.stringify(this));
    retain(this.memory, storage, (error) => {
      throw error;
    });
  }

  /**
   * Restores the session that this tab had before a reload; null if there is none or it is over. An encrypted session is
   * restored only with its stored request ids: without them, requests could run again.
   * @param {StateStorage | null} [storage]
   * @returns {Session | null}
   */
  static restore(storage = tabStorage()) {
    const session = kept(storage);
    if (!storage || !session || !(session.expiresAt.getTime() > Date.now())) return null;
    const { key, memory } = session;
    return key === undefined || (isRetained(memory, storage) && !ReplayGuard.isOver(memory, storage)) ? session : null;
  }

  /**
   * The same as `restore()`, but null if another page of this browser is the session's host: this tab is a copy of that
   * one, made by "Duplicate tab" for example, and needs a session of its own.
   *
   *     const session = (await Session.claim()) ?? (await createSession());
   * @param {StateStorage | null} [storage]
   * @returns {Promise<Session | null>}
   */
  static async claim(storage = tabStorage()) {
    const session = Session.restore(storage);
    return session && (await session.lock.claim()) ? session : null;
  }

  /** @param {StateStorage | null} [storage] */
  static forget(storage = tabStorage()) {
    storage?.removeItem(STORAGE_KEY);
  }
}

/** @param {StateStorage | null} storage @returns {Session | null} */
function kept(storage) {
  try {
    const text = storage?.getItem(STORAGE_KEY);
    return text ? new Session(JSON.parse(text)) : null;
  } catch {
    return null;
  }
}

/**
 * Creates a session on the server.
 * @param {object} [options]
 * @param {string} [options.baseUrl] the server; by default the one this module came from
 * @param {number} [options.ttl] seconds it lives unless it is extended
 * @param {string} [options.label] shown to guests
 * @param {unknown} [options.data] any JSON, shown to guests
 * @param {boolean} [options.mapToolNames] offer tools to MCP clients under names that all models take: `cart.add` as `cart_add`
 * @param {boolean} [options.address] take this browser's MCP address, so that MCP clients find each new session at the same
 *   `session.mcpUrl`. Without a storage that keeps it, the session has no address. An encrypted session can't have one
 * @param {StateStorage | null} [options.storage] where the secret of the address is kept; by default localStorage
 * @param {boolean} [options.encrypted] encrypt arguments and answers end to end; guests then need `session.link`
 * @returns {Promise<Session>}
 */
export async function createSession({
  baseUrl = ownOrigin(),
  ttl,
  label,
  data,
  mapToolNames,
  address = false,
  storage = browserStorage(),
  encrypted = false,
} = {}) {
  // The key comes first: a page that can't encrypt must not open an unencrypted session instead.
  const key = encrypted ? newKey() : undefined;
  if (address) requireMcp(key);
  const http = new Http(baseUrl);
  /** @param {string} [addressSecret] */
  const open = (addressSecret) => http.json("POST", "/api/sessions", { body: { ttl, label, data, mapToolNames, addressSecret } });
  const { data: reply } = await (address ? withSecret(baseUrl, storage, open) : open());
  return new Session({ baseUrl, ...newSession(reply), tabId: newId(), label, data, mapToolNames, key });
}
