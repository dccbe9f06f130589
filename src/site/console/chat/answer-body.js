/** The body of a message on the page: its text, and of an answer the steps in which it came. */

import { answerParts } from "../../client/chat/answer-parts.js";
import { el } from "../shared/dom.js";
import { AnswerStep } from "./answer-step.js";

/** @typedef {import("../../client/chat/answer-parts.js").AnswerPart} AnswerPart */
/** @typedef {{ content: string, reasoning: string, toolEvents: import("../../client/chat/answer-parts.js").ToolEvent[] }} Answer */

export class AnswerBody {
  /** @type {AnswerStep[]} */
  #steps = [];
  element = el("div", { class: "message-body" });
  /** How much of what it shows, to recognise it in the history. */
  #shown = { delta: "", reasoning: "", events: 0 };

  #isMarkdown;

  /** @param {boolean} isMarkdown whether its text is, rather than text as somebody has typed it */
  constructor(isMarkdown) {
    this.#isMarkdown = isMarkdown;
    this.clear();
  }

  clear() {
    for (const step of this.#steps) step.leave();
    this.#steps = [new AnswerStep(this.#isMarkdown)];
    this.#shown = { delta: "", reasoning: "", events: 0 };
    this.element.replaceChildren(this.#last.element);
  }

  /** The text of all its steps. */
  get text() {
    return this.#shown.delta;
  }

  /** Whether a call of it waits for the person at this tab. */
  get isWaiting() {
    return this.#steps.some((step) => step.isWaiting);
  }

  /** Whether it has called tools. */
  get usesTools() {
    return this.#steps.some((step) => step.hasCalls);
  }

  /** Shows a whole message. What is on the page already stays as it is, also what is unfolded. @param {Answer} answer */
  show(answer) {
    const { delta, reasoning, events } = this.#shown;
    if (answer.content === delta && answer.reasoning === reasoning && answer.toolEvents.length === events) return;
    this.clear();
    for (const part of answerParts(answer)) this.grow(part);
  }

  /** @param {AnswerPart} part */
  grow(part) {
    if (part.type === "delta" || part.type === "reasoning") {
      this.#shown[part.type] += part.text;
      return this.#open().grow(part.type, part.text);
    }
    this.#shown.events++;
    if (part.type === "tool_call") this.#last.call(part.id, part.name, part.arguments);
    else if (part.type === "tool_progress") this.#find(part.id)?.report(part.progress);
    else this.#find(part.id)?.close(part.result, part.isError);
  }

  /** Shows which calls wait for the person. */
  look() {
    for (const step of this.#steps) step.look();
  }

  /** It grows no more. */
  end() {
    for (const step of this.#steps) step.end();
  }

  get #last() {
    return this.#steps[this.#steps.length - 1];
  }

  /** The step that goes on: after calls, another one. */
  #open() {
    if (!this.#last.hasCalls) return this.#last;
    const step = new AnswerStep(this.#isMarkdown, { isLater: true });
    this.#steps.push(step);
    this.element.append(step.element);
    return step;
  }

  /** @param {string} id */
  #find(id) {
    return this.#steps.map((step) => step.find(id)).find((call) => call !== undefined);
  }
}
