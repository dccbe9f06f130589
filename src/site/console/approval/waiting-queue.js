/** What waits for the person at this tab: calls to decide about and questions to answer, in the order in which they came. */

/**
 * One thing that waits.
 * @typedef {object} Matter
 * @property {string} id of the request
 * @property {string} name of the tool
 * @property {string} detail on one line: what it is about
 * @property {() => string} news a sentence for a person who does not see the page
 * @property {() => string} asker who asks, which may turn out after the card is shown: the text of its #approval-asker
 * @property {() => HTMLElement} card shows it, each time it is its turn
 * @property {() => void} decline refuses the call, or declines to answer
 */

export class WaitingQueue {
  /** @type {Matter[]} */
  #matters = [];
  /** @type {Matter | null} */
  #shown = null;

  get size() {
    return this.#matters.length;
  }

  /** All of it, oldest first. */
  get all() {
    return [...this.#matters];
  }

  /** The one that is shown: it stays until it is over or the person chooses another one. */
  get shown() {
    return this.#shown;
  }

  /** Where the one that is shown stands, counted from 1; 0: none is. */
  get position() {
    return this.#shown ? this.#matters.indexOf(this.#shown) + 1 : 0;
  }

  /** All that are not shown, oldest first. */
  get others() {
    return this.#matters.filter((matter) => matter !== this.#shown);
  }

  /** @param {Matter} matter */
  add(matter) {
    this.#matters.push(matter);
    this.#shown ??= matter;
  }

  /** Takes it out; the one after it is shown then, or else the one before. @param {Matter} matter @returns {boolean} whether it was there */
  remove(matter) {
    const at = this.#matters.indexOf(matter);
    if (at < 0) return false;
    this.#matters.splice(at, 1);
    if (matter === this.#shown) this.#shown = this.#matters[at] ?? this.#matters.at(-1) ?? null;
    return true;
  }

  /** Shows this one, if it still waits. @param {Matter} matter */
  choose(matter) {
    if (this.#matters.includes(matter)) this.#shown = matter;
  }
}
