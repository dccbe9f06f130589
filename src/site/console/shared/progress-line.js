/** What a running call reports: a bar with its message below. */

import { el } from "./dom.js";
import { inline } from "./format.js";

export class ProgressLine {
  #bar = el("progress", { hidden: true, max: 1, "aria-label": "Progress" });
  #message = el("p", { class: "hint", hidden: true });
  /** Both of them. */
  elements = [this.#bar, this.#message];

  /** Shows progress in MCP's form: a message, and steps of a total as a bar. Anything else as JSON. @param {any} value */
  show(value) {
    const isSteps = typeof value?.progress === "number";
    this.#bar.hidden = !(isSteps && value.total > 0);
    if (!this.#bar.hidden) this.#bar.value = value.progress / value.total;
    this.#message.hidden = false;
    this.#message.textContent = isSteps && typeof value.message === "string" ? value.message : inline(value);
  }

  remove() {
    for (const element of this.elements) element.remove();
  }
}
