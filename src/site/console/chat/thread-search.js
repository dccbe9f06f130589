/** Finds threads by the words in their titles. */

import { byId } from "../shared/dom.js";
import { titleOf } from "./titles.js";

/** @typedef {import("../../waypost.js").Thread} Thread */

export class ThreadSearch {
  #box = /** @type {HTMLInputElement} */ (/** @type {HTMLElement} */ (byId("find-threads")));

  /** @param {() => void} changed called when other threads may be found */
  constructor(changed) {
    this.#box.addEventListener("input", changed);
  }

  /** Whether something is looked for. */
  get isOn() {
    return this.#words.length > 0;
  }

  /** Shows the field, or hides it while it is empty. @param {boolean} isOf any use */
  offer(isOf) {
    this.#box.hidden = !isOf && !this.isOn;
  }

  /** Whether the title has all words, or their beginnings. @param {Thread} thread */
  finds(thread) {
    const title = folded(titleOf(thread));
    return this.#words.every((word) => title.includes(word));
  }

  get #words() {
    return folded(this.#box.value).split(/\s+/).filter(Boolean);
  }
}

/** Without what people leave out when they type: case, and marks of letters. @param {string} text */
function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
