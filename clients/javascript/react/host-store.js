/** A host that components share: it finds the tab's session or opens one, offers the tools, and listens. */

import { isTransient, retryAfterMs, WaypostError } from "../client/errors.js";
import { tabStorage } from "../client/session/session.js";
import { Backoff, CancellableSleep } from "../client/transport/backoff.js";
import { createSession, Host, Session } from "../waypost.js";
import { keyedStorage } from "./keyed-storage.js";
import { SharedStores, Store } from "./shared.js";
import { shelfOf, tidy } from "./tool-shelf.js";

/** @typedef {import("../waypost.js").Approver} Approver */
/** @typedef {import("../waypost.js").StateStorage} StateStorage */
/** @typedef {import("../waypost.js").StreamState} StreamState */

/**
 * @typedef {object} HostOptions
 * @property {string} [baseUrl] the server
 * @property {string} [key] hosts with the same server and key are one; by default all of a page
 * @property {boolean} [enabled] false: there is no host, and no session is opened
 * @property {string} [label] shown to guests
 * @property {number} [ttl] seconds that the session lives unless it is extended
 * @property {unknown} [data] any JSON, shown to guests
 * @property {boolean} [mapToolNames] as in `createSession()`
 * @property {boolean} [address] as in `createSession()`
 * @property {boolean} [encrypted] as in `createSession()`
 * @property {Approver} [approve] as in `new Host()`: whether there is one counts when the session is opened
 * @property {StateStorage | null | Promise<StateStorage | null>} [storage] keeps the session over a reload; by default the tab's
 * @property {(error: unknown) => void} [onError] called with what fails in between; by default it is logged
 */

/**
 * `opening`: there is no session yet. `failed`: there is none, because of `error`. All others as in `StreamState`.
 * @typedef {object} HostView
 * @property {"opening" | "failed" | StreamState["state"]} state
 * @property {Session | null} session
 * @property {Host | null} host
 * @property {string | undefined} code what a guest needs
 * @property {string | undefined} link for guests, with the key of an encrypted session
 * @property {string | undefined} mcpUrl for MCP clients
 * @property {unknown} error why it has failed, waits or has ended; undefined if nothing is wrong
 * @property {number | undefined} delayMs until the next attempt, in the state `waiting`
 */

/** @type {HostView} */
export const NO_HOST = Object.freeze({
  state: "opening",
  session: null,
  host: null,
  code: undefined,
  link: undefined,
  mcpUrl: undefined,
  error: undefined,
  delayMs: undefined,
});

/** @type {SharedStores<HostStore>} */
export const hosts = new SharedStores();

/** @extends {Store<HostView>} */
export class HostStore extends Store {
  #key;
  #options;
  #backoff = new Backoff();
  #sleep = new CancellableSleep();
  /** The newest attempt to have a host; an older one gives up. */
  #attempt = 0;

  /**
   * @param {string} key
   * @param {() => HostOptions} options the newest ones
   */
  constructor(key, options) {
    super(NO_HOST);
    this.#key = key;
    this.#options = options;
  }

  /** @override */
  start() {
    this.#open();
  }

  /** Stops listening; the session stays, for a page that comes back to it. @override */
  stop() {
    this.#giveUp();
    this.#leave();
  }

  /** Tries now what it would try later. */
  retry() {
    const { host, state } = this.value;
    if (host && state !== "ended") host.retry();
    else if (state === "waiting") this.#sleep.wake();
    else if (state === "failed") this.start();
  }

  takeOver() {
    this.value.host?.takeOver();
  }

  /** Opens a new session, and ends the present one then. If it rejects, the present one stays. */
  async renew() {
    const before = this.value.host;
    const attempt = this.#attempt;
    const storage = await this.#storage();
    const session = await this.#create();
    if (attempt !== this.#attempt) return session.end();
    this.#giveUp();
    this.#begin(session, storage, false);
    if (before && before.state.state !== "ended") await before.end();
  }

  /** Ends the session for everybody. */
  async end() {
    await this.value.host?.end();
  }

  /** @param {unknown} error */
  #fail = (error) => {
    const { onError } = this.#options();
    if (onError) onError(error);
    else console.error("waypost:", error);
  };

  async #open() {
    const attempt = this.#giveUp();
    while (attempt === this.#attempt) {
      try {
        const storage = await this.#storage();
        const kept = await this.#kept(storage);
        const session = kept ?? (await this.#create());
        if (attempt === this.#attempt) return this.#begin(session, storage, kept !== null);
        // A session that is not saved can't be found again.
        return kept ? release(kept) : session.end();
      } catch (error) {
        if (attempt !== this.#attempt) return this.#fail(error);
        if (!isTransient(error)) return this.set({ state: "failed", error, delayMs: undefined });
        const delayMs = this.#backoff.next(retryAfterMs(error));
        this.set({ state: "waiting", error, delayMs });
        await this.#sleep.start(delayMs);
      }
    }
  }

  /** Ends the attempt that is under way, and begins another one. */
  #giveUp() {
    this.#sleep.wake();
    this.#backoff.reset();
    return ++this.#attempt;
  }

  /** @returns {Promise<StateStorage | null>} */
  async #storage() {
    const { storage = tabStorage() } = this.#options();
    return keyedStorage(await storage, this.#key);
  }

  /** The session that this tab had before. @param {StateStorage | null} storage */
  async #kept(storage) {
    const kept = await Session.claim(storage);
    // Whether calls are encrypted is a decision of this page; what is kept may be of an earlier version of it.
    if (!kept || (kept.key !== undefined) === (this.#options().encrypted ?? false)) return kept;
    await release(kept);
    return null;
  }

  #create() {
    const { baseUrl, label, ttl, data, mapToolNames, address, encrypted } = this.#options();
    return createSession({ baseUrl, label, ttl, data, mapToolNames, address, encrypted });
  }

  /**
   * @param {Session} session
   * @param {StateStorage | null} storage
   * @param {boolean} isKept this tab had it before: it may be gone by now
   */
  #begin(session, storage, isKept) {
    this.#leave();
    const asks = this.#options().approve !== undefined;
    /** @type {Approver} */
    const approve = (request) => {
      const approver = this.#options().approve;
      if (!approver) throw new WaypostError("no_approver", "The component has no approver any more.");
      return approver(request);
    };
    const host = new Host(session, { storage, approve: asks ? approve : undefined });
    host.on("error", ({ error }) => this.#fail(error));
    host.on("state", ({ state, error, delayMs }) => {
      if (this.value.host !== host) return;
      if (state === "ended" && isKept) return this.#replace();
      if (state === "online") isKept = false;
      this.set({ state, error, delayMs });
    });
    try {
      session.save(storage);
    } catch (error) {
      this.#fail(error);
    }
    shelfOf(this.#key).attach(host, this.#fail);
    const { code, link, mcpUrl } = session;
    this.set({ session, host, code, link, mcpUrl, state: "connecting", error: undefined, delayMs: undefined });
    // How it goes on, or ends, is what the state says.
    host.connect().catch(() => {});
  }

  /** The session that was kept is not there any more: the tab has another one, as without it. */
  #replace() {
    this.#leave();
    this.set(NO_HOST);
    this.#open();
  }

  #leave() {
    const { host } = this.value;
    if (!host) return;
    shelfOf(this.#key).detach(host);
    tidy(this.#key);
    host.close().catch(this.#fail);
  }
}

/** Lets another page have the session that was claimed. @param {Session} session */
async function release(session) {
  const lock = await session.lock.acquire(new AbortController().signal, () => {});
  lock?.release();
}
