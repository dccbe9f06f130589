/** The calls that wait for the person: one is shown, the others queue up. */

import { approvalCard } from "../console/approval/approval-card.js";
import { el } from "../console/shared/dom.js";
import { plain } from "../console/shared/plain.js";

/** @typedef {import("../waypost.js").ApprovalRequest} ApprovalRequest */
/** @typedef {import("../waypost.js").Decision} Decision */
/** @typedef {{ request: ApprovalRequest, settle: (decision: Decision) => void }} Question */

export class Questions {
  /** Where the questions appear. */
  place = el("div", { class: "questions", hidden: true });
  #changed;
  /** @type {Question[]} */
  #waiting = [];
  /** @type {Question | null} */
  #shown = null;

  /** @param {(count: number, text: string) => void} changed `text`: for screen readers */
  constructor(changed) {
    this.#changed = changed;
  }

  /** How many calls wait. */
  get waiting() {
    return this.#waiting.length;
  }

  /**
   * Asks the person.
   * @param {ApprovalRequest} request
   * @returns {Decision | Promise<Decision>}
   */
  ask(request) {
    // It was allowed before the page was left, and the bridge does not run it again: nothing to decide.
    const { readOnlyHint, idempotentHint } = request.definition.annotations ?? {};
    if (request.restarted && readOnlyHint !== true && idempotentHint !== true) return "once";
    return new Promise((resolve) => {
      /** @type {Question} */
      const question = { request, settle: (decision) => this.#settle(question, () => resolve(decision)) };
      // Cancelled, allowed together with another one, or over.
      request.signal.addEventListener("abort", () => this.#settle(question, () => {}));
      this.#waiting.push(question);
      this.#draw(`An agent asks to call ${plain(request.tool)}. ${this.#waiting.length} waiting for you.`);
    });
  }

  /** Nothing is asked any more. */
  close() {
    this.#waiting = [];
    this.#draw("");
  }

  /** @param {Question} question @param {() => void} then */
  #settle(question, then) {
    const at = this.#waiting.indexOf(question);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#draw("");
    then();
  }

  /** @param {string} said */
  #draw(said) {
    const [first = null] = this.#waiting;
    const count = this.#waiting.length;
    const root = /** @type {ShadowRoot} */ (this.place.getRootNode());
    const wasHere = this.place.contains(root.activeElement ?? null);
    this.place.hidden = first === null;
    if (first !== this.#shown) {
      this.#shown = first;
      this.place.replaceChildren(...(first ? [this.#head(), approvalCard(first.request, first.settle)] : []));
      // To the next card, but to none of its buttons: a key that is still down must not decide.
      const goal = first ? this.place.lastElementChild : root.querySelector?.(".panel");
      if (wasHere && goal instanceof HTMLElement) goal.focus();
    }
    const shown = this.place.querySelector(".count");
    if (shown) shown.textContent = count > 1 ? `1 of ${count}` : "";
    const all = this.place.querySelector(".all");
    if (all instanceof HTMLElement) all.hidden = count < 2;
    this.#changed(count, said);
  }

  #head() {
    const refuseAll = el("button", { type: "button", class: "quiet all", hidden: true, onclick: () => [...this.#waiting].forEach(({ settle }) => settle("refuse")) }, "Refuse all");
    return el("div", { class: "head" }, el("h3", {}, "Waiting for you"), el("p", { class: "hint count" }), refuseAll);
  }
}
