/** What the model thought before an answer: folded up, with its last words beside it while it still thinks. */

import { el } from "../shared/dom.js";

/** As many of the last characters as any line shows. */
const LAST_CHARS = 200;

export class Reasoning {
  #label = el("span", {}, "Reasoning");
  // For the eyes only: a screen reader would read each word of it. It reads the whole text where it is opened.
  #last = el("span", { class: "reasoning-last", "aria-hidden": "true", dir: "auto" });
  #end = "";
  #text = el("p", { class: "reasoning-text", dir: "auto" });
  element = el("details", { class: "reasoning", hidden: true }, el("summary", {}, this.#label, this.#last), this.#text);

  /** The whole text, of an answer that does not grow any more. @param {string} text */
  show(text) {
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.element.hidden = text === "";
    this.end();
  }

  /** @param {string} text */
  append(text) {
    this.#text.append(text);
    this.element.hidden = false;
    this.element.toggleAttribute("data-thinking", true);
    this.#label.textContent = "Thinking";
    this.#end = `${this.#end}${text}`.slice(-LAST_CHARS);
    this.#last.textContent = this.#end.split("\n").findLast((line) => line.trim() !== "") ?? "";
  }

  /** The answer begins, or is over. */
  end() {
    this.element.toggleAttribute("data-thinking", false);
    this.#label.textContent = "Reasoning";
    this.#end = "";
    this.#last.textContent = "";
    this.#text.normalize();
  }
}
