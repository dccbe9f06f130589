/** The message box: Enter sends, and text that could not be sent comes back. */

import { byId } from "../shared/dom.js";

export class Composer {
  #box = /** @type {HTMLTextAreaElement} */ (/** @type {HTMLElement} */ (byId("message")));
  #send = byId("send");
  #stop = byId("stop");

  /**
   * @param {(text: string) => void} send
   * @param {() => void} stop
   */
  constructor(send, stop) {
    const submit = () => this.text && send(this.text);
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    this.#box.addEventListener("keydown", (event) => {
      // During input composition (IME), Enter completes the word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    });
    this.#stop.addEventListener("click", () => {
      this.#stop.setAttribute("disabled", "");
      stop();
    });
  }

  get text() {
    return this.#box.value.trim();
  }

  /** @param {boolean} isAnswering */
  isAnswering(isAnswering) {
    const hadFocus = [this.#send, this.#stop].includes(/** @type {HTMLElement} */ (document.activeElement));
    this.#stop.hidden = !isAnswering;
    this.#send.hidden = isAnswering;
    this.#stop.removeAttribute("disabled");
    // The focused button is now hidden: move on to the box.
    if (hadFocus) this.#box.focus();
  }

  /** Enables the button again, after a stop that failed. */
  allowStop() {
    this.#stop.removeAttribute("disabled");
  }

  clear() {
    this.#box.value = "";
  }

  /** Puts unsent text back, unless something else has been typed meanwhile. @param {string} text */
  restore(text) {
    if (this.#box.value === "") this.#box.value = text;
  }

  /** Focuses the box, except on touch devices, where a keyboard would cover half of the screen. */
  focus() {
    if (matchMedia("(hover: hover)").matches) this.#box.focus({ preventScroll: true });
  }
}
