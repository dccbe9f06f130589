/** One step of an answer on the page: what the model thought, what it said, and which tools it then called. */

import { MarkdownText } from "../markdown/markdown-text.js";
import { el } from "../shared/dom.js";
import { Reasoning } from "./reasoning.js";
import { ToolCall } from "./tool-call.js";

export class AnswerStep {
  #reasoning = new Reasoning();
  #text;
  #list = el("ol", { class: "tool-calls", "aria-label": "Tool calls" });
  /** @type {Map<string, ToolCall>} */
  #calls = new Map();
  element;

  /** Whether its text begins with the space that sets it apart from the step before: here the calls do that. */
  #beginsApart;

  /**
   * @param {boolean} isMarkdown whether its text is, rather than text as somebody has typed it
   * @param {{ isLater?: boolean }} [options] `isLater`: there is a step before it
   */
  constructor(isMarkdown, { isLater = false } = {}) {
    this.#beginsApart = isLater;
    this.#text = isMarkdown ? new MarkdownText({ class: "message-text markdown" }) : new TypedText();
    this.element = el("div", { class: "answer-step" }, this.#reasoning.element, this.#text.element);
  }

  get hasCalls() {
    return this.#calls.size > 0;
  }

  get isWaiting() {
    return [...this.#calls.values()].some((call) => call.isWaiting);
  }

  /** @param {"delta" | "reasoning"} type @param {string} text */
  grow(type, text) {
    if (type === "reasoning") return this.#reasoning.append(text);
    this.#reasoning.end();
    this.#text.grow(this.#beginsApart && text.startsWith(" ") ? text.slice(1) : text);
    this.#beginsApart = false;
  }

  /** @param {string} id @param {string} name @param {unknown} args */
  call(id, name, args) {
    const call = new ToolCall({ id, name, args });
    this.#reasoning.end();
    this.#calls.set(id, call);
    this.#list.append(call.element);
    this.element.append(this.#list);
  }

  /** Its call of this id. @param {string} id */
  find(id) {
    return this.#calls.get(id);
  }

  /** Shows which of its calls wait for the person. */
  look() {
    for (const call of this.#calls.values()) call.look();
  }

  /** It is no longer shown. */
  leave() {
    for (const call of this.#calls.values()) call.leave();
  }

  /** The answer is over. */
  end() {
    this.#text.end();
    this.#reasoning.end();
    for (const call of this.#calls.values()) call.giveUp();
  }
}

/** A text that is shown as it is. */
class TypedText {
  element = el("p", { class: "message-text", dir: "auto" });

  /** @param {string} text */
  grow(text) {
    this.element.append(text);
  }

  end() {
    this.element.normalize();
  }
}
