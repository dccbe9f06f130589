/** The banner above the message box: what went wrong, and what to do about it. */

import { dailyLimit } from "../daily-limit.js";
import { byId, el, showBanner } from "../shared/dom.js";
import { useAppKey } from "./identity.js";
import { needsKey, errorText } from "./error-text.js";

export class ProblemBanner {
  #banner = byId("chat-banner");
  #isOffer = false;
  #retry;

  /** @param {() => void} retry called when another app key was entered */
  constructor(retry) {
    this.#retry = retry;
  }

  clear() {
    this.#isOffer = false;
    showBanner(this.#banner, null);
  }

  /** @param {string} text */
  tell(text) {
    this.#isOffer = false;
    showBanner(this.#banner, text);
  }

  /** @param {unknown} error */
  show(error) {
    this.#isOffer = false;
    dailyLimit.heard(error);
    if (needsKey(error)) this.#askForKey();
    else showBanner(this.#banner, errorText(error), "bad");
  }

  /** Offers to interrupt the running answer. @param {() => void} interrupt */
  offerInterruption(interrupt) {
    const button = el("button", { type: "button", onclick: interrupt }, "Interrupt and send");
    showBanner(this.#banner, "An answer is still being written in this thread. ", "warn", button);
    this.#isOffer = true;
  }

  /** Hides that offer, when nothing is running any more. */
  withdrawOffer() {
    if (this.#isOffer) this.clear();
  }

  #askForKey() {
    const input = el("input", { id: "app-key", type: "password", autocomplete: "off", required: true });
    const label = el("label", { for: "app-key" }, "App key");
    const form = el("form", { class: "key" }, label, input, el("button", {}, "Use this key"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      useAppKey(input.value.trim());
      this.clear();
      this.#retry();
    });
    showBanner(this.#banner, "This server asks for an app key before it shows threads.", "warn", form);
  }
}
