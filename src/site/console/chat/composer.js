/** The box a message is written in: sent with Enter, given back when it could not be sent. */

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
      // While a word is being composed from several keys, Enter belongs to that.
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
    // The button that had the focus is gone: the box is where one goes on.
    if (hadFocus) this.#box.focus();
  }

  /** The stop could not be asked for: it can be tried again. */
  allowStop() {
    this.#stop.removeAttribute("disabled");
  }

  clear() {
    this.#box.value = "";
  }

  /** Give back what could not be sent, unless something else has been written meanwhile. @param {string} text */
  restore(text) {
    if (this.#box.value === "") this.#box.value = text;
  }

  /** Not where the focus would bring up a keyboard over half of the screen. */
  focus() {
    if (matchMedia("(hover: hover)").matches) this.#box.focus({ preventScroll: true });
  }
}
