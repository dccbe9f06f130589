/** A list of threads that components share: the pages that were read so far, and what was changed here since. */

import { TokenSource } from "../tokens/token-source.js";
import { beginThread, changeThread, deleteThread, listThreads } from "../waypost.js";
import { SharedStores, Store } from "./shared.js";

/** @typedef {import("../tokens/token-source.js").Token} Token */
/** @typedef {import("../waypost.js").Thread} Thread */

/**
 * @typedef {object} ThreadsOptions
 * @property {string} [baseUrl] the server
 * @property {Token} [token] where the server asks for one
 * @property {boolean} [archived] only threads that are archived, or only those that are not; by default both
 * @property {Record<string, string>} [metadata] only threads with these values
 * @property {number} [limit] threads of a page; by default 30
 */

/**
 * @typedef {object} ThreadsView
 * @property {Thread[]} threads most recently used first
 * @property {boolean} isLoading
 * @property {boolean} hasMore `loadMore()` reads further ones
 * @property {unknown} error why the list could not be read; undefined if nothing is wrong
 */

/** @type {ThreadsView} */
export const NO_THREADS = Object.freeze({ threads: [], isLoading: false, hasMore: false, error: undefined });

/** @type {ThreadsView} */
export const LOADING = Object.freeze({ ...NO_THREADS, isLoading: true });

/** @type {SharedStores<ThreadsStore>} */
export const lists = new SharedStores();

/** @extends {Store<ThreadsView>} */
export class ThreadsStore extends Store {
  #resourceId;
  #options;
  #tokens;
  /** @type {string | undefined} */
  #cursor = undefined;
  /** The newest reading; what an older one brings is dropped. */
  #reading = 0;

  /**
   * @param {string} resourceId
   * @param {() => ThreadsOptions} options the newest ones
   */
  constructor(resourceId, options) {
    super(LOADING);
    this.#resourceId = resourceId;
    this.#options = options;
    this.#tokens = new TokenSource(() => options().token);
  }

  /** @override */
  start() {
    this.refresh();
  }

  /** @override */
  stop() {
    this.#reading++;
  }

  /** Reads the list from its beginning. */
  refresh() {
    return this.#read(undefined);
  }

  /** Reads the next page. */
  async loadMore() {
    if (this.value.hasMore && !this.value.isLoading) await this.#read(this.#cursor);
  }

  /** @param {string} threadId @param {{ title?: string, metadata?: Record<string, any>, agent?: string }} [options] */
  async begin(threadId, options = {}) {
    const thread = await this.#send((server) => beginThread(this.#resourceId, threadId, { ...options, ...server }));
    this.#show([thread, ...this.#without(threadId)]);
    return thread;
  }

  /** @param {string} threadId @param {{ title?: string, archived?: boolean, metadata?: Record<string, any> }} change */
  async change(threadId, change) {
    const thread = await this.#send((server) => changeThread(this.#resourceId, threadId, change, server));
    this.#show(this.value.threads.map((other) => (other.threadId === threadId ? thread : other)));
    return thread;
  }

  /** @param {string} threadId */
  async remove(threadId) {
    const wasThere = await this.#send((server) => deleteThread(this.#resourceId, threadId, server));
    this.#show(this.#without(threadId));
    return wasThere;
  }

  /** @param {string | undefined} cursor */
  async #read(cursor) {
    const reading = ++this.#reading;
    this.set({ isLoading: true, error: undefined });
    try {
      const { archived, metadata, limit = 30 } = this.#options();
      const query = { archived, metadata, limit, cursor };
      const page = await this.#send((server) => listThreads(this.#resourceId, { ...query, ...server }));
      if (reading !== this.#reading) return;
      this.#cursor = page.cursor;
      const read = new Set(page.sessions.map(({ threadId }) => threadId));
      const before = cursor === undefined ? [] : this.value.threads.filter(({ threadId }) => !read.has(threadId));
      this.set({ threads: [...before, ...page.sessions], isLoading: false, hasMore: page.cursor !== undefined });
    } catch (error) {
      if (reading === this.#reading) this.set({ isLoading: false, error });
    }
  }

  /**
   * @template Result
   * @param {(server: { baseUrl?: string, appKey?: string }) => Promise<Result>} send
   */
  #send(send) {
    const { baseUrl } = this.#options();
    return this.#tokens.with((appKey) => send({ ...(baseUrl && { baseUrl }), appKey }));
  }

  /** @param {string} threadId */
  #without(threadId) {
    return this.value.threads.filter((thread) => thread.threadId !== threadId);
  }

  /** Shows those of the threads that belong to the list. @param {Thread[]} threads */
  #show(threads) {
    const { archived, metadata = {} } = this.#options();
    const belongs = (/** @type {Thread} */ thread) =>
      (archived === undefined || (thread.archived ?? false) === archived) &&
      Object.entries(metadata).every(([name, value]) => thread.metadata?.[name] === value);
    this.set({ threads: threads.filter(belongs) });
  }
}
