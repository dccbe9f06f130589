/**
 * The place for all that waits for the person, wherever the page is scrolled to: one card is shown, the others are listed
 * below it. It takes no keyboard focus; F8 leads to it and back.
 */

import { byId, el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";
import { Attention } from "./attention.js";
import { onChatCall } from "./chat-calls.js";
import { startWaiting, stopWaiting } from "./waiting-calls.js";
import { WaitingQueue } from "./waiting-queue.js";

/** @typedef {import("./waiting-queue.js").Matter} Matter */

/** How many of the others are listed. */
const NAMED = 3;

/** How long a card's buttons stay disabled, so that a click meant for the previous card does not count. */
const REST_MS = 500;

const KEY = "F8";

class WaitingPanel {
  #queue = new WaitingQueue();
  /** The card's. @type {Matter | null} */
  #drawn = null;
  /** Where the focus was before it came here. @type {Element | null} */
  #before = null;
  #rest = 0;
  #attention = new Attention(byId("notify-me"), () => this.#enter());

  constructor() {
    byId("refuse-all").addEventListener("click", () => this.#queue.all.forEach((matter) => matter.decline()));
    onChatCall(() => this.#showAsker());
    this.#place.addEventListener("focusin", ({ relatedTarget }) => {
      const isFromOutside = relatedTarget instanceof Element && !this.#place.contains(relatedTarget);
      if (isFromOutside) this.#before = relatedTarget;
    });
    this.#place.addEventListener("keydown", (event) => event.key === "Escape" && this.#leave());
    document.addEventListener("keydown", (event) => {
      if (event.key !== KEY || this.#place.hidden) return;
      event.preventDefault();
      if (this.#isHere) this.#leave();
      else this.#enter();
    });
  }

  get #place() {
    return byId("approvals");
  }

  get #isHere() {
    return this.#place.contains(document.activeElement);
  }

  /** @param {Matter} matter */
  add(matter) {
    this.#queue.add(matter);
    startWaiting(matter.id);
    const news = matter.news();
    byId("approvals-said").textContent = `${news} ${this.#queue.size} waiting for you.`;
    this.#draw(news);
  }

  /** It needs the person no more. @param {Matter} matter @returns {boolean} whether it waited */
  remove(matter) {
    if (!this.#queue.remove(matter)) return false;
    stopWaiting(matter.id);
    this.#draw();
    return true;
  }

  /** Whether it is the one that is shown. @param {Matter} matter */
  isShown(matter) {
    return matter === this.#queue.shown;
  }

  /** @param {string} [news] */
  #draw(news) {
    const { shown, others, size, position } = this.#queue;
    const wasHere = this.#isHere;
    this.#place.hidden = byId("skip-approvals").hidden = size === 0;
    this.#attention.show(size, news);
    byId("refuse-all").hidden = others.length === 0;
    byId("approvals-count").textContent = others.length === 0 ? "" : `${position} of ${size}`;
    byId("approvals-next").replaceChildren(...this.#next(others));
    if (shown === this.#drawn) return;
    this.#drawn = shown;
    byId("approval").replaceChildren(...(shown ? [this.#rested(shown.card())] : []));
    this.#showAsker();
    if (!wasHere) return;
    // To the next card, but to none of its buttons: a key that is still down must not decide.
    if (shown) this.#enter();
    else this.#leave();
  }

  #showAsker() {
    if (this.#queue.shown) byId("approval-asker").textContent = this.#queue.shown.asker();
  }

  #enter() {
    const card = byId("approval").firstElementChild;
    if (card instanceof HTMLElement) card.focus();
  }

  #leave() {
    if (this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus();
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }

  /** The card, whose buttons take no click yet. @param {HTMLElement} card */
  #rested(card) {
    const buttons = [...card.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => buttons.forEach((button) => (button.disabled = false)), REST_MS);
    return card;
  }

  /** @param {Matter[]} others */
  #next(others) {
    const named = others.slice(0, NAMED).map((matter) => {
      const choose = () => {
        this.#queue.choose(matter);
        this.#draw();
      };
      return el("li", {}, el("button", { type: "button", class: "link", onclick: choose }, el("code", {}, plain(matter.name))), el("span", {}, plain(matter.detail)));
    });
    const rest = others.length - named.length;
    return rest > 0 ? [...named, el("li", {}, `and ${rest} more`)] : named;
  }
}

export const waitingPanel = new WaitingPanel();
