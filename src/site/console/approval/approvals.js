/** The calls that wait for approval: one is shown, the others queue up. Keyboard focus is not taken. */

import { byId, el, toast } from "../shared/dom.js";
import { inline } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { tellWaiting } from "../views.js";
import { useOwnCall } from "./own-calls.js";
import { approvalCard, askerOf } from "./approval-card.js";
import { onChatCall } from "./chat-calls.js";
import { startWaiting, stopWaiting } from "./waiting-calls.js";

/** How many of the queued calls are listed. */
const NAMED = 3;

/** @typedef {import("../../waypost.js").ApprovalRequest} ApprovalRequest */
/** @typedef {import("../../waypost.js").Decision} Decision */
/** @typedef {{ request: ApprovalRequest, settle: (decision: Decision) => void }} Question */

export class Approvals {
  /** @type {Question[]} */
  #questions = [];
  /** The one that is shown. @type {Question | null} */
  #shown = null;
  /** Where the focus was before it came here. @type {Element | null} */
  #before = null;

  constructor() {
    byId("refuse-all").addEventListener("click", () => {
      for (const { settle } of [...this.#questions]) settle("refuse");
    });
    onChatCall(() => {
      if (this.#shown) byId("approval-asker").textContent = askerOf(this.#shown.request);
    });
    this.#place.addEventListener("focusin", ({ relatedTarget }) => {
      const isFromOutside = relatedTarget instanceof Element && !this.#place.contains(relatedTarget);
      if (isFromOutside) this.#before = relatedTarget;
    });
  }

  get #place() {
    return byId("approvals");
  }

  /**
   * Asks the person, unless they made this very call themselves. Resolves with their decision.
   * @param {string} code the session's
   * @param {ApprovalRequest} request
   * @returns {Decision | Promise<Decision>}
   */
  decide(code, request) {
    const { id, tool, args } = request;
    if (useOwnCall(id, { code, tool, args })) return "once";
    return new Promise((resolve) => {
      /** @type {Question} */
      const question = { request, settle: (decision) => this.#close(question, () => resolve(decision)) };
      // The call was cancelled or allowed together with another one, or the session is over.
      request.signal.addEventListener("abort", () => {
        if (question === this.#shown) toast(`The call to ${plain(tool)} no longer needs a decision.`);
        this.#close(question, () => {});
      });
      this.#questions.push(question);
      startWaiting(id);
      this.#say(`An agent asks to call ${plain(tool)}. ${this.#questions.length} waiting for you.`);
      this.#draw();
    });
  }

  /**
   * @param {Question} question
   * @param {() => void} then
   */
  #close(question, then) {
    const at = this.#questions.indexOf(question);
    if (at < 0) return;
    this.#questions.splice(at, 1);
    stopWaiting(question.request.id);
    this.#draw();
    then();
  }

  #draw() {
    const [first = null, ...others] = this.#questions;
    const isHere = this.#place.contains(document.activeElement);
    this.#place.hidden = byId("skip-approvals").hidden = first === null;
    tellWaiting(this.#questions.length);
    byId("refuse-all").hidden = others.length === 0;
    byId("approvals-count").textContent = others.length === 0 ? "" : `1 of ${this.#questions.length}`;
    byId("approvals-next").replaceChildren(...next(others));
    if (first === this.#shown) return;
    this.#shown = first;
    byId("approval").replaceChildren(...(first ? [approvalCard(first.request, first.settle)] : []));
    if (!isHere) return;
    // To the next card, but to none of its buttons: a key that is still down must not decide.
    const goal = first ? byId("approval").firstElementChild : this.#before;
    if (goal instanceof HTMLElement && goal.isConnected) goal.focus();
  }

  /** @param {string} text */
  #say(text) {
    byId("approvals-said").textContent = text;
  }
}

/** @param {Question[]} others */
function next(others) {
  const named = others.slice(0, NAMED).map(({ request }) =>
    el("li", {}, el("code", {}, plain(request.tool)), el("span", {}, plain(inline(request.args)))),
  );
  const rest = others.length - named.length;
  return rest > 0 ? [...named, el("li", {}, `and ${rest} more`)] : named;
}
