/** The threads of this browser, most recently used first: those in use, or those that are archived. */

import { changeThread, listThreads, readThread } from "../../waypost.js";
import { dailyLimit } from "../daily-limit.js";
import { byId, showBanner, toast } from "../shared/dom.js";
import { credentials, resourceId } from "./identity.js";
import { nextTitle, titleOf } from "./titles.js";
import { RecentChanges } from "./recent-changes.js";
import { renameRow, threadRow } from "./thread-row.js";
import { ThreadSearch } from "./thread-search.js";
import { needsKey, errorText } from "./error-text.js";

/** @typedef {import("../../waypost.js").Thread} Thread */
/** @typedef {import("./recent-changes.js").ThreadChange} ThreadChange */

/**
 * @typedef {object} ListEvents
 * @property {(error: unknown) => void} failed
 * @property {(thread: Thread, change: ThreadChange) => void} changed a thread was renamed or archived here
 * @property {(thread: Thread) => void} remove a thread is to be deleted
 */

const PAGE_SIZE = 30;

/** Of a search, which needs all of them. */
const LARGE_PAGE_SIZE = 500;

/** From so many threads on, one looks for a thread. */
const MANY = 8;

const AGE_REFRESH_MS = 30_000;

export class ThreadList {
  #list = byId("threads");
  /** @type {Map<string, Thread>} */
  #threads = new Map();
  #news = new RecentChanges();
  #showsArchived = false;
  /** @type {string | undefined} */
  #next;
  /** The open thread. */
  #current = "";
  /** The open thread, if the list does not reach it. @type {Thread | null} */
  #looked = null;
  /** The thread whose actions are shown; "" for none. */
  #expanded = "";
  #isEditing = false;
  #search = new ThreadSearch(() => this.#find());
  /** Whether all threads are known, as of the last search. */
  #hasAll = false;
  /** Whether the list has been requested. */
  isKnown = false;
  #events;

  /** @param {ListEvents} events */
  constructor(events) {
    this.#events = events;
    byId("more-threads").addEventListener("click", () => this.#load(this.#next));
    byId("show-current").addEventListener("click", () => this.#turn(false));
    byId("show-archived").addEventListener("click", () => this.#turn(true));
    setInterval(() => this.#draw(), AGE_REFRESH_MS);
  }

  /** The most recently used thread that is not archived. */
  get newest() {
    return this.#sorted(false)[0] ?? null;
  }

  /** @param {string} threadId */
  get(threadId) {
    return this.#threads.get(threadId) ?? (this.#looked?.threadId === threadId ? this.#looked : null);
  }

  /** @param {string} threadId */
  titleOf(threadId) {
    return titleOf(this.get(threadId) ?? { threadId });
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

  /** Finds out about a thread that the list does not reach. @param {string} threadId */
  async look(threadId) {
    if (this.get(threadId)) return;
    const found = await readThread(resourceId(), threadId, credentials()).catch(() => null);
    if (found) this.#looked = found;
  }

  /** Records that it was started or used just now. @param {Thread} thread */
  touch(thread) {
    const known = this.get(thread.threadId);
    this.#news.use({ ...known, ...thread, createdAt: known?.createdAt ?? thread.createdAt });
    this.#update();
  }

  /** Records that it was deleted. @param {string} threadId */
  drop(threadId) {
    this.#news.drop(threadId);
    if (this.#looked?.threadId === threadId) this.#looked = null;
    this.#update();
  }

  /** Records that all were deleted. */
  dropAll() {
    for (const threadId of this.#threads.keys()) this.drop(threadId);
    this.#next = undefined;
    this.#draw();
  }

  /** Records that it was renamed or archived. @param {Thread} thread @param {ThreadChange} change */
  learn(thread, change) {
    this.#news.change(thread, change);
    if (this.#looked?.threadId === thread.threadId) this.#looked = { ...this.#looked, ...change };
    this.#update();
  }

  /** Renames or archives a thread. @param {Thread} thread @param {ThreadChange} change */
  async change(thread, change) {
    try {
      await changeThread(resourceId(), thread.threadId, change, credentials());
      this.learn(thread, change);
      this.#events.changed(thread, change);
      if (change.archived !== undefined) toast(change.archived ? "Thread archived" : "Thread moved back");
    } catch (error) {
      this.#events.failed(error);
    }
  }

  /** Shows what is found; reads the threads that the list has not reached. */
  async #find() {
    this.#draw();
    if (this.#hasAll || !this.#search.isOn) return;
    this.#hasAll = true;
    /** @type {string | undefined} */
    let cursor;
    try {
      do {
        const page = await listThreads(resourceId(), { limit: LARGE_PAGE_SIZE, cursor, ...credentials() });
        for (const thread of page.sessions) this.#threads.set(thread.threadId, thread);
        cursor = page.cursor;
        this.#update();
      } while (cursor && this.#search.isOn);
      if (cursor) this.#hasAll = false;
    } catch (error) {
      this.#hasAll = false;
      this.#events.failed(error);
    }
  }

  /** @param {boolean} showsArchived */
  #turn(showsArchived) {
    this.#showsArchived = showsArchived;
    this.#next = undefined;
    this.#expanded = "";
    this.#isEditing = false;
    byId("show-archived").setAttribute("aria-pressed", `${showsArchived}`);
    byId("show-current").setAttribute("aria-pressed", `${!showsArchived}`);
    this.#draw();
    this.refresh();
  }

  /** @param {string | undefined} cursor */
  async #load(cursor) {
    this.isKnown = true;
    const archived = this.#showsArchived;
    try {
      const page = await listThreads(resourceId(), { limit: PAGE_SIZE, cursor, archived, ...credentials() });
      if (archived !== this.#showsArchived) return;
      if (cursor === undefined) for (const { threadId } of this.#sorted(archived)) this.#threads.delete(threadId);
      for (const thread of page.sessions) this.#threads.set(thread.threadId, thread);
      this.#next = page.cursor;
      showBanner(byId("threads-error"), null);
    } catch (error) {
      dailyLimit.heard(error);
      if (needsKey(error)) this.#events.failed(error);
      else showBanner(byId("threads-error"), `The list of threads could not be loaded. ${errorText(error)}`, "bad");
    }
    this.#hasAll = false;
    this.#update();
    if (this.#search.isOn) await this.#find();
  }

  #update() {
    this.#news.apply(this.#threads);
    this.#draw();
  }

  /** @param {boolean} archived */
  #sorted(archived) {
    const threads = [...this.#threads.values()].filter((thread) => (thread.archived ?? false) === archived);
    return threads.sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  }

  /** The threads of the list: a search finds archived ones too. */
  #shown() {
    if (!this.#search.isOn) return this.#sorted(this.#showsArchived);
    return [...this.#sorted(false), ...this.#sorted(true)].filter((thread) => this.#search.finds(thread));
  }

  #draw() {
    // A name that is being typed stays, and so does its row.
    if (this.#isEditing) return;
    const threads = this.#shown();
    const empty = byId("threads-empty");
    empty.hidden = threads.length > 0;
    empty.textContent = this.#search.isOn ? "No thread has such a title." : this.#showsArchived ? "No archived threads." : "No threads yet.";
    this.#search.offer(this.#threads.size >= MANY || Boolean(this.#next));
    byId("more-threads").hidden = !this.#next || this.#search.isOn;
    const focused = this.#list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const place = focused ? [...this.#list.children].findIndex((row) => row.contains(focused)) : -1;
    this.#list.replaceChildren(...threads.map((thread) => this.#row(thread)));
    // Drawn again at any time: the page must not jump to the list.
    if (focused) this.#focus(focused.dataset.key ?? "", place, { preventScroll: true });
  }

  /**
   * Focuses what had the focus, or, if that is gone, what has taken its place.
   * @param {string} key
   * @param {number} place
   * @param {FocusOptions} [options]
   */
  #focus(key, place, options) {
    const rows = [...this.#list.children];
    const same = /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-key="${CSS.escape(key)}"]`));
    (same ?? rows[Math.min(place, rows.length - 1)]?.querySelector("a") ?? byId("new-thread")).focus(options);
  }

  /** @param {Thread} thread */
  #row(thread) {
    const { threadId, forkedFrom, archived = false } = thread;
    const isExpanded = threadId === this.#expanded;
    const state = { isCurrent: threadId === this.#current, isExpanded, origin: forkedFrom ? this.titleOf(forkedFrom.threadId) : "", isFoundInArchive: archived && this.#search.isOn };
    return threadRow(thread, state, {
      toggle: () => this.#expand(isExpanded ? "" : threadId, `more ${threadId}`),
      edit: () => this.#edit(thread),
      archive: () => this.change(thread, { archived: !archived }),
      remove: () => this.#events.remove(thread),
    });
  }

  /** @param {string} threadId @param {string} key what gets the focus */
  #expand(threadId, key) {
    this.#expanded = threadId;
    this.#draw();
    this.#focus(key, 0);
  }

  /** @param {Thread} thread */
  #edit(thread) {
    const at = this.#shown().findIndex(({ threadId }) => threadId === thread.threadId);
    const done = async (/** @type {string | null} */ title) => {
      input.readOnly = true;
      if (title !== null && title !== (thread.title || titleOf(thread))) await this.change(thread, { title });
      this.#isEditing = false;
      this.#expand("", `more ${thread.threadId}`);
    };
    const { row, input } = renameRow(thread, done);
    this.#list.children[at]?.replaceWith(row);
    this.#isEditing = true;
    input.focus();
    input.select();
  }
}
