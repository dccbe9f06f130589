/** On a phone, the list of threads and the pages open in a drawer each, and the open thread has the screen. */

import { onWaiting, someWait } from "../approval/waiting-calls.js";
import { byId } from "../shared/dom.js";

/** As in layout.css. */
const NARROW = "(max-width: 700px)";

export class Drawer {
  #dialog = /** @type {HTMLDialogElement} */ (byId("drawer"));
  /** Where what is in the drawer has its place. */
  #place = document.createComment("in the drawer");

  constructor() {
    byId("open-threads").addEventListener("click", () => this.#open(byId("threads-panel"), "Threads"));
    byId("open-aside").addEventListener("click", () => this.#open(byId("aside"), "Pages"));
    byId("drawer-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#putBack());
    this.#dialog.addEventListener("click", ({ target }) => {
      const isBeside = target === this.#dialog;
      // Also one that is open already: its address does not change.
      const isChosen = target instanceof Element && target.closest("a.thread, #new-thread");
      if (isBeside || isChosen) this.#dialog.close();
    });
    addEventListener("hashchange", () => this.#dialog.close());
    matchMedia(NARROW).addEventListener("change", () => this.#dialog.close());
    // What waits for the person is below it.
    onWaiting(() => someWait() && this.#dialog.close());
  }

  /** @param {HTMLElement} content @param {string} name */
  #open(content, name) {
    if (this.#dialog.open) return;
    content.replaceWith(this.#place);
    this.#dialog.append(content);
    this.#dialog.setAttribute("aria-label", name);
    this.#dialog.showModal();
  }

  #putBack() {
    const content = this.#dialog.lastElementChild;
    if (content && this.#place.isConnected) this.#place.replaceWith(content);
  }
}
