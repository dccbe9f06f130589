/** Changes of threads made in this browser, which the server's list may miss for a while. */

/** @typedef {import("../../waypost.js").Thread} Thread */
/** @typedef {{ title?: string, archived?: boolean }} ThreadChange */

/** How long the list may miss a change made here: KV takes up to a minute, a listing another one. */
const LIST_LAG_MS = 120_000;

export class RecentChanges {
  /** By the thread's id; a null thread is deleted. @type {Map<string, { since: number, thread: Thread | null, change: ThreadChange }>} */
  #news = new Map();

  /** The thread was started or used just now. @param {Thread} thread */
  use(thread) {
    this.#learn(thread.threadId, thread, {});
  }

  /** The thread was renamed or archived just now. @param {Thread} thread as it was before @param {ThreadChange} change */
  change(thread, change) {
    this.#learn(thread.threadId, thread, change);
  }

  /** The thread was deleted just now. @param {string} threadId */
  drop(threadId) {
    this.#learn(threadId, null, {});
  }

  /**
   * Makes them in a list.
   * @param {Map<string, Thread>} threads
   */
  apply(threads) {
    for (const [threadId, { since, thread, change }] of this.#news) {
      const listed = threads.get(threadId);
      if (Date.now() - since > LIST_LAG_MS) this.#news.delete(threadId);
      else if (!thread) threads.delete(threadId);
      else {
        const updatedAt = listed && listed.updatedAt > thread.updatedAt ? listed.updatedAt : thread.updatedAt;
        threads.set(threadId, { ...thread, ...listed, ...change, updatedAt });
      }
    }
  }

  /** @param {string} threadId @param {Thread | null} thread @param {ThreadChange} change */
  #learn(threadId, thread, change) {
    const earlier = this.#news.get(threadId)?.change;
    this.#news.set(threadId, { since: Date.now(), thread, change: { ...earlier, ...change } });
  }
}
