/**
 * The lock of a session in this browser (Web Locks). A duplicated tab has a copy of `sessionStorage`, and so has a tab that
 * is opened again or restored: of several pages with one session, the page that holds the lock is its host.
 *
 * Without locks (plain HTTP, old browsers, Node before 24) the server has to tell two hosts apart: see `Host`.
 */

/** How long the page before a reload may take to release the lock. */
const PATIENCE_MS = 1000;

/** A page that has waited for so long waits for another page, not for the one that a reload has just closed. */
const NOTICE_MS = 300;

/**
 * As much of a browser's LockManager as is used.
 * @typedef {object} Locks
 * @property {(name: string, options: { signal: AbortSignal }, hold: () => Promise<unknown>) => Promise<unknown>} request
 */

/** The lock, held until `release()`. @typedef {{ isHeld: boolean, release: () => void }} HeldLock */

export class SessionLock {
  #name;
  #locks;
  /** Held for the host that is still to come. @type {HeldLock | null} */
  #claimed = null;

  /**
   * @param {string} name of the session's stored state
   * @param {Locks | undefined} [locks]
   */
  constructor(name, locks = globalThis.navigator?.locks) {
    this.#name = `waypost.${name}`;
    this.#locks = locks;
  }

  /**
   * Takes the lock for a host of this page, if no other page keeps it.
   * @returns {Promise<boolean>}
   */
  async claim() {
    if (!this.#claimed?.isHeld) this.#claimed = await this.#request(AbortSignal.timeout(PATIENCE_MS));
    return this.#claimed !== null;
  }

  /**
   * Takes the lock once it is free.
   * @param {AbortSignal} signal
   * @param {() => void} waits called if another page has it
   * @returns {Promise<HeldLock | null>} null: aborted
   */
  async acquire(signal, waits) {
    const claimed = this.#claimed;
    this.#claimed = null;
    if (claimed?.isHeld) return claimed;
    const timer = setTimeout(waits, NOTICE_MS);
    try {
      return await this.#request(signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {AbortSignal} signal @returns {Promise<HeldLock | null>} */
  #request(signal) {
    return new Promise((resolve) => {
      const hold = () => {
        const held = new Promise((release) => {
          const lock = {
            isHeld: true,
            release: () => {
              lock.isHeld = false;
              globalThis.window?.removeEventListener("pagehide", lock.release);
              release(null);
            },
          };
          // Some browsers keep the lock of a page in the back/forward cache, others take it away without a word.
          globalThis.window?.addEventListener("pagehide", lock.release);
          resolve(lock);
        });
        return held;
      };
      if (!this.#locks) return void hold();
      this.#locks.request(this.#name, { signal }, hold).catch((error) => {
        // A page without an origin may not use locks; it has no storage that could be copied either.
        if (error?.name === "SecurityError") hold();
        else resolve(null);
      });
    });
  }
}
