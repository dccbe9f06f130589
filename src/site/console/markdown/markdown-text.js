/** A Markdown text on the page, which may grow at its end. */

import { copyBy } from "../shared/copy-text.js";
import { Blocks } from "./blocks.js";
import { patch } from "./dom.js";
import { GrowingBlocks } from "./growing-blocks.js";
import { Pace } from "./pace.js";

/** @typedef {import("./tree.js").Tree} Tree */

export class MarkdownText {
  element;
  #source = new GrowingBlocks();
  #blocks = new Blocks();
  /** What its nodes were made from: those that stay, and the last ones, which may still change. @type {Tree[]} */
  #settled = [];
  /** @type {Tree[]} */
  #growing = [];
  #pace = new Pace(() => this.#show());

  /** @param {Record<string, string>} [properties] of the element */
  constructor(properties = {}) {
    this.element = document.createElement("div");
    for (const [name, value] of Object.entries(properties)) this.element.setAttribute(name, value);
    this.element.addEventListener("click", ({ target }) => {
      const button = target instanceof Element && target.closest("button.copy-code");
      if (!button) return;
      copyBy(/** @type {HTMLButtonElement} */ (button), button.closest(".code-block")?.querySelector("pre")?.textContent ?? "");
    });
  }

  /** Adds to its end. Shown soon: each time it is, the element gets the event `grown`. @param {string} text */
  grow(text) {
    this.#source.append(text);
    this.#pace.ask();
  }

  /** It grows no more. */
  end() {
    this.#pace.stop();
    const trees = new Blocks().trees(this.#source.finish());
    patch(this.element, [...this.#settled, ...this.#growing], trees);
    this.#settled = trees;
    this.#growing = [];
  }

  #show() {
    const { settled, growing } = this.#source.take();
    const trees = this.#blocks.trees(settled);
    const last = this.#blocks.copy().trees(growing);
    patch(this.element, this.#growing, [...trees, ...last]);
    this.#settled.push(...trees);
    this.#growing = last;
    this.element.dispatchEvent(new CustomEvent("grown", { bubbles: true }));
  }
}
