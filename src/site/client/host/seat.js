/**
 * The place of a host in its browser. One page of a session has it; a copy of the page waits until it is free. A page that
 * closes gives it up, and takes it again if it comes back from the back/forward cache.
 */

import { Handover } from "../storage/handover.js";
import { CancellableSleep } from "../transport/backoff.js";

/** How long what the other page has sent last may be on its way. */
const LAST_WORD_MS = 1000;

/** @typedef {import("../session/session-lock.js").HeldLock} HeldLock */
/** @typedef {import("../storage/handover.js").Memory} Memory */

/**
 * @typedef {object} SeatOptions
 * @property {import("../session/session.js").Session} session
 * @property {() => Memory} memory what this page remembers of the session
 * @property {(memory: Memory) => boolean} adopt called while it waits, with what the host remembers; false: not stored
 * @property {() => void} taken called when the place is this page's
 * @property {() => void} waits called when another page has it
 * @property {() => void} asked called when another page asks for it
 * @property {() => void} left called when this page is closing
 * @property {() => boolean} returns whether it takes the place again when it comes back
 * @property {(error: unknown) => void} fail
 */

export class Seat {
  #options;
  #handover;
  /** @type {AbortController | null} */
  #life = null;
  /** @type {HeldLock | null} */
  #lock = null;
  /** @type {AbortController | null} */
  #listening = null;
  /** Another page was the host while this one waited. */
  #hasWaited = false;
  /** This page remembers all that the other one did. */
  #hasAll = false;
  #lastWord = new CancellableSleep();

  /** @param {SeatOptions} options */
  constructor(options) {
    this.#options = options;
    this.#handover = new Handover(options.session.memory, {
      memory: options.memory,
      adopt: (memory) => {
        this.#hasWaited = true;
        this.#hasAll = options.adopt(memory) && memory.isLast === true;
        if (memory.isLast) this.#lastWord.wake();
      },
      yield: options.asked,
    });
  }

  /** Whether requests may have run in the page that was the host before, of which this page does not know. */
  get isUncertain() {
    return this.#hasWaited && !this.#hasAll;
  }

  /** Whether this page has the place. */
  get isTaken() {
    return this.#lock?.isHeld === true;
  }

  /** Passes a change on to the pages that wait. @param {string} id @param {import("../storage/request-store.js").Entry} entry */
  changed(id, entry) {
    this.#handover.changed(id, entry);
  }

  /** Takes the place as soon as it is free. */
  take() {
    if (this.#life) return;
    const life = (this.#life = new AbortController());
    this.#listen();
    this.#begin(life.signal).catch(this.#options.fail);
  }

  /** Asks the page that has the place to give it up. */
  request() {
    this.#handover.request();
  }

  /** Gives the place up to a page that waits. */
  giveUp() {
    this.#life?.abort();
    this.#life = null;
    this.#handover.close();
    this.#lock?.release();
    this.#lock = null;
  }

  /** Gives it up for good. */
  close() {
    this.giveUp();
    this.#listening?.abort();
    this.#listening = null;
  }

  /** @param {AbortSignal} signal */
  async #begin(signal) {
    await isShown(signal);
    if (signal.aborted) return;
    this.#hasWaited = this.#hasAll = false;
    this.#handover.wait();
    const lock = await this.#options.session.lock.acquire(signal, this.#options.waits);
    if (!lock || signal.aborted) return lock?.release();
    this.#lock = lock;
    // The lock may be faster than what the other page has sent last.
    if (this.isUncertain) await this.#lastWord.start(LAST_WORD_MS);
    if (signal.aborted) return;
    this.#handover.serve();
    this.#options.taken();
  }

  #listen() {
    if (this.#listening) return;
    const { signal } = (this.#listening = new AbortController());
    globalThis.window?.addEventListener(
      "pagehide",
      () => {
        this.giveUp();
        this.#options.left();
      },
      { signal },
    );
    globalThis.window?.addEventListener(
      "pageshow",
      (event) => event.persisted && this.#options.returns() && this.take(),
      { signal },
    );
  }
}

/** Resolves when the page is no longer prerendered: it may never be shown. @param {AbortSignal} signal @returns {Promise<void>} */
function isShown(signal) {
  const page = /** @type {(Document & { prerendering?: boolean }) | undefined} */ (globalThis.document);
  return new Promise((resolve) => {
    if (!page?.prerendering) return resolve();
    page.addEventListener("prerenderingchange", () => resolve(), { once: true, signal });
  });
}
