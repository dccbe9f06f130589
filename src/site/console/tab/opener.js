/** Opens a session for the tab: again and again until there is one, or just once. */

import { Backoff, CancellableSleep } from "../../client/transport/backoff.js";
import { retryAfterMs } from "../../client/errors.js";
import { dailyLimit, inTime } from "../daily-limit.js";
import { byId, el, showBanner, showPill } from "../shared/dom.js";
import { openSession } from "./open-session.js";

/** Pauses between attempts to open a session; the last one repeats. */
const ATTEMPT_DELAYS_MS = [1000, 2000, 5000, 10_000];

/** @typedef {import("../../waypost.js").Session} Session */

export class Opener {
  #use;
  #isBusy = false;
  /** The pause before the next attempt. @type {CancellableSleep | null} */
  #pause = null;

  /** @param {(session: Session) => void} use gets each session that was opened */
  constructor(use) {
    this.#use = use;
  }

  /** Opens a session as soon as the server lets it. @param {number} [attempt] */
  async open(attempt = 0) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#pause = null;
    showPill(byId("tab-state"), "Opening", "busy");
    try {
      this.#use(await openSession());
    } catch (error) {
      this.#openLater(error, attempt);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Opens one in place of another, which stays if that fails. @param {() => boolean} isOpen whether the other one still is */
  async replace(isOpen) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    byId("renew").setAttribute("disabled", "");
    try {
      this.#use(await openSession());
    } catch (error) {
      dailyLimit.heard(error);
      showBanner(byId("tab-banner"), `Could not open a new session. ${reasonOf(error)} ${isOpen() ? "This session goes on." : ""}`, "bad");
    } finally {
      this.#isBusy = false;
      byId("renew").removeAttribute("disabled");
    }
  }

  /** @param {unknown} error @param {number} attempt */
  async #openLater(error, attempt) {
    dailyLimit.heard(error);
    const usual = ATTEMPT_DELAYS_MS[Math.min(attempt, ATTEMPT_DELAYS_MS.length - 1)];
    const wanted = retryAfterMs(error);
    const delayMs = wanted > usual ? new Backoff().next(wanted) : usual;
    showPill(byId("tab-state"), "No session", "bad");
    const retry = wanted > usual && el("button", { type: "button", class: "link", onclick: () => this.open(attempt + 1) }, "Try now");
    showBanner(byId("tab-banner"), `Could not open a session. ${reasonOf(error)} Trying again ${inTime(delayMs)}. `, "bad", retry);
    const pause = (this.#pause = new CancellableSleep());
    await pause.start(delayMs);
    if (pause === this.#pause) await this.open(attempt + 1);
  }
}

/** @param {unknown} error */
export function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}
