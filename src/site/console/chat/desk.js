/**
 * The tab beside the conversation: what it asks stands between the messages and the message box, where one looks while
 * chatting, and its tools and its board beside them. In the view of the session they have their own places.
 */

import { byId } from "../shared/dom.js";

/** As much of it in the window is seen. */
const SEEN_PX = 60;

export class Desk {
  #place = byId("desk");
  #link = byId("to-desk");

  constructor() {
    // On a phone, the page may be scrolled to the threads: then a button leads back.
    const look = () => this.#look();
    new ResizeObserver(look).observe(this.#place);
    for (const type of ["scroll", "resize"]) addEventListener(type, look, { passive: true });
    this.#link.addEventListener("click", () => {
      this.#place.scrollIntoView({ block: "end" });
      byId("approvals").focus({ preventScroll: true });
    });
  }

  get #isHere() {
    return this.#place.contains(byId("approvals"));
  }

  /** @param {boolean} isChat whether the chats are shown @param {boolean} usesTools whether the model may call the tab's tools */
  arrange(isChat, usesTools) {
    if (isChat && !this.#isHere) this.#place.append(byId("approvals"));
    if (!isChat && this.#isHere) byId("approvals-said").before(byId("approvals"));
    const stage = byId("stage");
    const isBeside = byId("aside").contains(stage);
    if (isChat && usesTools && !isBeside) byId("aside").prepend(stage);
    if (isBeside && !(isChat && usesTools)) byId("tab").after(stage);
    this.#look();
  }

  #look() {
    const { top, bottom, height } = this.#place.getBoundingClientRect();
    this.#link.hidden = height === 0 || (top < innerHeight - SEEN_PX && bottom > SEEN_PX);
  }
}
