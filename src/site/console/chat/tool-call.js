/** A call of a tool within an answer: one line, which opens to its arguments and its result. */

import { endChatCall, learnChatCall } from "../approval/chat-calls.js";
import { isWaiting } from "../approval/waiting-calls.js";
import { el, showPill } from "../shared/dom.js";
import { inline, pretty } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { ProgressLine } from "../shared/progress-line.js";
import { errorCode, errorText, resultText } from "./tool-result.js";

export class ToolCall {
  #id;
  #pill = el("span", { class: "pill" });
  #progress = new ProgressLine();
  #outcome = el("p", { class: "tool-outcome", hidden: true });
  #result = el("div", { hidden: true });
  #isOver = false;

  /** @param {{ id: string, name: string, args: unknown }} call */
  constructor({ id, name, args }) {
    this.#id = id;
    learnChatCall({ id, tool: name, args });
    const summary = el(
      "summary",
      {},
      el("code", {}, plain(name)),
      el("span", { class: "payload" }, isEmpty(args) ? "" : plain(inline(args))),
      this.#pill,
    );
    const details = el("details", {}, summary, ...part("Arguments", plain(pretty(args))), this.#result);
    this.element = el("li", { class: "tool-call" }, details, ...this.#progress.elements, this.#outcome);
    this.look();
  }

  /** Shows whether it waits for the person at this tab. */
  look() {
    if (this.#isOver) return;
    if (isWaiting(this.#id)) showPill(this.#pill, "Waiting for you", "warn");
    else showPill(this.#pill, "Running", "busy");
  }

  /** Whether it waits for the person at this tab. */
  get isWaiting() {
    return !this.#isOver && isWaiting(this.#id);
  }

  /** @param {unknown} value */
  report(value) {
    if (!this.#isOver) this.#progress.show(value);
  }

  /** @param {unknown} value @param {boolean} isError */
  close(value, isError) {
    const code = isError ? errorCode(value) : "";
    if (code === "refused") this.#end("Refused", "warn", "The person at the tab refused this call: it did not run.");
    else if (code === "stopped") this.#end("Stopped", "warn", "The answer was ended, and this call cancelled. It may have run.");
    else if (isError) this.#end("Failed", "bad", errorText(value));
    else this.#end("Done", "good", resultText(value));
    this.#result.hidden = false;
    this.#result.replaceChildren(...part("Result", pretty(value)));
  }

  /** It is no longer shown. */
  leave() {
    endChatCall(this.#id);
  }

  /** The answer is over: no result comes any more. */
  giveUp() {
    if (!this.#isOver) this.#end("No result", "warn", "The answer ended before this call did.");
  }

  /** @param {string} state @param {"good" | "warn" | "bad"} kind @param {string} outcome */
  #end(state, kind, outcome) {
    this.#isOver = true;
    endChatCall(this.#id);
    showPill(this.#pill, state, kind);
    this.#progress.remove();
    this.#outcome.hidden = outcome === "";
    this.#outcome.textContent = plain(outcome);
    this.#outcome.dataset.kind = kind;
  }
}

/** @param {string} title @param {string} text */
function part(title, text) {
  return [el("p", { class: "tool-part", "aria-hidden": "true" }, title), el("pre", { tabindex: 0, "aria-label": title }, text)];
}

/** @param {unknown} args */
function isEmpty(args) {
  return typeof args === "object" && args !== null && Object.keys(args).length === 0;
}
