/** One step of an answer on the page: what the model thought, what it said, and which tools it then called. */

import { el } from "../shared/dom.js";
import { Reasoning } from "./reasoning.js";
import { ToolCall } from "./tool-call.js";

export class AnswerStep {
  #reasoning = new Reasoning();
  #text = el("p", { class: "message-text", dir: "auto" });
  #list = el("ol", { class: "tool-calls", "aria-label": "Tool calls" });
  /** @type {Map<string, ToolCall>} */
  #calls = new Map();
  element = el("div", { class: "answer-step" }, this.#reasoning.element, this.#text);

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
    this.#text.append(text);
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
    this.#text.normalize();
    this.#reasoning.end();
    for (const call of this.#calls.values()) call.giveUp();
  }
}
