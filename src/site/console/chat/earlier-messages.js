/** The top of a thread: a button that loads earlier messages, or a sentence that says that none are kept. */

import { ApiError } from "../../waypost.js";
import { byId } from "../shared/dom.js";

/** @typedef {import("../../waypost.js").ChatHistory} ChatHistory */

export class EarlierMessages {
  #button = byId("earlier");
  #cut = byId("talk-cut");
  #log = byId("talk");
  /** What is passed to the server for the next page; undefined: there is none. @type {string | undefined} */
  #before;
  #load;
  #add;

  /**
   * @param {(before: string) => Promise<ChatHistory | null>} load null: the thread was left, or the error is shown
   * @param {(page: ChatHistory) => HTMLElement[]} add shows them, and returns the new elements
   */
  constructor(load, add) {
    this.#load = load;
    this.#add = add;
    this.#button.addEventListener("click", () => this.#more());
  }

  /** The oldest messages on the page are those of `page`. @param {{ before?: string, truncated: boolean }} page */
  at({ before, truncated }) {
    this.#before = before;
    this.#button.hidden = before === undefined;
    this.#cut.hidden = before !== undefined || !truncated;
  }

  /** Whether there are messages before those on the page. */
  get hasMore() {
    return this.#before !== undefined;
  }

  /** There are no messages on the page. */
  clear() {
    this.at({ truncated: false });
    byId("talk-said").textContent = "";
  }

  async #more() {
    if (this.#before === undefined || this.#button.hasAttribute("aria-disabled")) return;
    // Not `disabled`, which would take the focus away.
    this.#button.setAttribute("aria-disabled", "true");
    try {
      const page = await this.#load(this.#before);
      if (page) this.#show(page);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "message_not_found") throw error;
      // Cut off since the page before it was read.
      this.at({ truncated: true });
    } finally {
      this.#button.removeAttribute("aria-disabled");
    }
  }

  /** @param {ChatHistory} page */
  #show(page) {
    const hadFocus = document.activeElement === this.#button;
    // A screen reader would read all of them, as it reads new ones.
    this.#log.setAttribute("aria-live", "off");
    const added = this.#add(page);
    this.at(page);
    setTimeout(() => this.#log.removeAttribute("aria-live"), 1000);
    byId("talk-said").textContent = `${added.length} earlier messages. ${this.#cut.hidden ? "" : this.#cut.textContent}`;
    // The button goes with the last page: the focus moves on to what it brought.
    if (!hadFocus || !this.#button.hidden || !added[0]) return;
    added[0].tabIndex = -1;
    added[0].focus({ preventScroll: true });
  }
}
