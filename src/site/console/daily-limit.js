/** The banner while the server's storage operations of today are used up, which Cloudflare's free plan counts. */

import { ApiError } from "../waypost.js";
import { Backoff, CancellableSleep } from "../client/transport/backoff.js";
import { byId, el, showBanner } from "./shared/dom.js";
import { readHealth } from "./health.js";

/** @typedef {{ operations: string[], until: number }} DailyLimit */

/** How often the server is asked at most whether it is over already: the owner may have changed the plan. */
const LOOK_AGAIN_MS = 10 * 60_000;

/** How long it is left alone, also if this machine's clock says that the day is over. */
const REST_MS = 60_000;

/** What each kind of operation is for, and what goes on without it. @type {Record<string, { what: string, effect: string }>} */
const KINDS = {
  put: { what: "writes", effect: "Nothing can be saved: no new sessions, calls or messages. What is there can still be read." },
  list: { what: "lists", effect: "Threads can’t be listed or used, and calls may not arrive. Pages can still be opened." },
  get: { what: "reads", effect: "What is stored can’t be read: sessions, threads and pages." },
  delete: { what: "deletions", effect: "Nothing can be deleted. Everything else works." },
};

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

class DailyLimitBanner {
  #banner = byId("daily-limit");
  /** @type {DailyLimit | null} */
  #limit = null;
  #askedAt = 0;
  #sleep = new CancellableSleep();
  #backoff = new Backoff();

  /** Whether requests that no person asked for should wait. */
  get isShown() {
    return this.#limit !== null;
  }

  /** @param {DailyLimit | null | undefined} limit as the server's health says */
  show(limit) {
    this.#sleep.wake();
    this.#limit = limit ?? null;
    if (!this.#limit) return showBanner(this.#banner, null);
    const { operations, until } = this.#limit;
    const kinds = operations.flatMap((name) => KINDS[name] ?? []);
    const what = kinds.length > 0 ? ` (${kinds.map((kind) => kind.what).join(", ")})` : "";
    const owner = el("a", { href: "https://developers.cloudflare.com/workers/platform/pricing/", target: "_blank", rel: "noopener noreferrer" }, "Workers Paid");
    showBanner(
      this.#banner,
      null,
      "warn",
      el("b", {}, `This server’s free storage operations of today are used up${what}. `),
      ...kinds.map(({ effect }) => `${effect} `),
      `All goes on by itself ${atTime(until)}, and this page can stay open. If this server is yours: the plan `,
      owner,
      " has no such limit.",
    );
    this.#banner.hidden = false;
    this.#wait(until);
  }

  /** Hears of every error on the page. @param {unknown} error */
  async heard(error) {
    if (!(error instanceof ApiError) || error.code !== "daily_limit" || Date.now() - this.#askedAt < LOOK_AGAIN_MS) return;
    // Another isolate may answer, and not know of it yet.
    const said = await this.#ask();
    this.show(said?.dailyLimit ?? { operations: [], until: Date.now() + error.retryAfterMs });
  }

  /** The page is seen again: is it over? */
  async look() {
    const isDue = this.#limit && (Date.now() >= this.#limit.until || Date.now() - this.#askedAt > LOOK_AGAIN_MS);
    if (isDue) this.#check();
  }

  async #check() {
    const health = await this.#ask();
    if (health) this.show(health.dailyLimit);
    else this.#wait(0);
  }

  #ask() {
    this.#askedAt = Date.now();
    return readHealth();
  }

  /** @param {number} until */
  async #wait(until) {
    const limit = this.#limit;
    const leftMs = Math.max(REST_MS, until - Date.now());
    await this.#sleep.start(this.#backoff.next(leftMs), leftMs);
    if (limit === this.#limit) await this.#check();
  }
}

export const dailyLimit = new DailyLimitBanner();

document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && dailyLimit.look());

/** @param {number} time */
function atTime(time) {
  const date = new Date(time);
  return `${date.getDate() === new Date().getDate() ? "at" : "tomorrow at"} ${CLOCK.format(date)}`;
}

/** When something is tried again: in some seconds, or at a time. @param {number} delayMs */
export function inTime(delayMs) {
  return delayMs < 120_000 ? `in ${Math.ceil(delayMs / 1000)} s` : atTime(Date.now() + delayMs);
}
