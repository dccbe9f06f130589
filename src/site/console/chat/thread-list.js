/** The threads of this browser, most recently used first. */

import { listThreads } from "../../waypost.js";
import { byId, el, showBanner } from "../shared/dom.js";
import { age } from "../shared/format.js";
import { credentials, resourceId } from "./identity.js";
import { addressOf, nextTitle, titleOf } from "./titles.js";
import { needsKey, errorText } from "./error-text.js";

/** @typedef {import("../../waypost.js").Thread} Thread */

const PAGE_SIZE = 30;

/** How long the server's list may miss a change made here: KV takes up to a minute, a listing another one. */
const LIST_LAG_MS = 120_000;

const AGE_REFRESH_MS = 30_000;

export class ThreadList {
  /** @type {Map<string, Thread>} */
  #threads = new Map();
  /** Recent changes that the server's list may miss, and when they were made; a null thread is deleted. @type {Map<string, { since: number, thread: Thread | null }>} */
  #news = new Map();
  /** @type {string | undefined} */
  #next;
  #current = "";
  /** Whether the list has been requested. */
  isKnown = false;
  #refused;

  /** @param {(error: unknown) => void} refused called when a key is needed */
  constructor(refused) {
    this.#refused = refused;
    byId("more-threads").addEventListener("click", () => this.#load(this.#next));
    setInterval(() => this.#draw(), AGE_REFRESH_MS);
  }

  /** The most recently used thread. */
  get newest() {
    return this.#sorted()[0] ?? null;
  }

  /** @param {string} threadId */
  get(threadId) {
    return this.#threads.get(threadId) ?? null;
  }

  /** @param {string} threadId */
  titleOf(threadId) {
    return titleOf(this.#threads.get(threadId) ?? { threadId });
  }

  /** A title for a fork of this thread that no other thread here has. @param {string} threadId */
  nextTitle(threadId) {
    return nextTitle(this.titleOf(threadId), new Set([...this.#threads.values()].map(titleOf)));
  }

  /** Mark the thread that is open. @param {string} threadId "" for none */
  mark(threadId) {
    this.#current = threadId;
    this.#draw();
  }

  refresh() {
    return this.#load(undefined);
  }

  /** Records that it was started or used just now. @param {Thread} thread */
  touch(thread) {
    const known = this.#threads.get(thread.threadId);
    this.#learn(thread.threadId, { ...known, ...thread, createdAt: known?.createdAt ?? thread.createdAt });
  }

  /** Records that it was deleted. @param {string} threadId */
  drop(threadId) {
    this.#learn(threadId, null);
  }

  /** @param {string} threadId @param {Thread | null} thread */
  #learn(threadId, thread) {
    this.#news.set(threadId, { since: Date.now(), thread });
    this.#apply();
    this.#draw();
  }

  /** @param {string | undefined} cursor */
  async #load(cursor) {
    this.isKnown = true;
    try {
      const page = await listThreads(resourceId(), { limit: PAGE_SIZE, cursor, ...credentials() });
      if (cursor === undefined) this.#threads.clear();
      for (const thread of page.sessions) this.#threads.set(thread.threadId, thread);
      this.#next = page.cursor;
      this.#apply();
      showBanner(byId("threads-error"), null);
    } catch (error) {
      if (needsKey(error)) this.#refused(error);
      else showBanner(byId("threads-error"), `The list of threads could not be loaded. ${errorText(error)}`, "bad");
    }
    this.#draw();
  }

  /** Applies the recent changes to the list. */
  #apply() {
    for (const [threadId, { since, thread }] of this.#news) {
      const listed = this.#threads.get(threadId);
      if (Date.now() - since > LIST_LAG_MS) this.#news.delete(threadId);
      else if (!thread) this.#threads.delete(threadId);
      else if (!listed || listed.updatedAt < thread.updatedAt) {
        this.#threads.set(threadId, { ...thread, ...listed, updatedAt: thread.updatedAt });
      }
    }
  }

  #sorted() {
    return [...this.#threads.values()].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  }

  #draw() {
    const threads = this.#sorted();
    byId("threads-empty").hidden = threads.length > 0;
    byId("more-threads").hidden = !this.#next;
    const list = byId("threads");
    const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    list.replaceChildren(...threads.map((thread) => this.#row(thread)));
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {Thread} thread */
  #row(thread) {
    const { threadId, updatedAt, forkedFrom } = thread;
    const origin = forkedFrom && `, fork of ${this.titleOf(forkedFrom.threadId)}`;
    const link = el(
      "a",
      { class: "thread", href: addressOf(threadId), "aria-current": threadId === this.#current && "true" },
      el("span", { class: "thread-title", dir: "auto" }, titleOf(thread)),
      el("span", { class: "thread-note" }, age(new Date(updatedAt)), origin),
    );
    return el("li", {}, link);
  }
}
