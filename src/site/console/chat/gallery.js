/** The pages of the open thread, each shown in a sandbox. */

import { Pages } from "../../waypost.js";
import { dailyLimit } from "../daily-limit.js";
import { byId, el, showBanner } from "../shared/dom.js";
import { age, clockTime, fileSize } from "../shared/format.js";
import { confirmed } from "./confirm.js";
import { samplePage } from "./sample-page.js";
import { errorText } from "./error-text.js";

/** @typedef {import("../../waypost.js").PageInfo} PageInfo */

/** Scripts run, but in an opaque origin: the same limit as the server's own sandbox. */
const SANDBOX = "allow-scripts";

export class Gallery {
  /** @type {Pages | null} */
  #pages = null;
  /** The pages shown as JSON, so that a refresh without changes reloads no preview. */
  #shown = "";

  constructor() {
    byId("put-sample").addEventListener("click", () => this.#putSample());
    byId("refresh-pages").addEventListener("click", () => this.refresh());
    const dialog = /** @type {HTMLDialogElement} */ (byId("preview"));
    // A closed preview must not go on running.
    dialog.addEventListener("close", () => byId("preview-place").replaceChildren());
    byId("preview-close").addEventListener("click", () => dialog.close());
  }

  /** Show the pages of this session. @param {string | null} sessionId null: the thread has no messages yet */
  async show(sessionId) {
    if (sessionId === (this.#pages?.sessionId ?? null) && this.#shown !== "") return;
    this.#pages = sessionId ? new Pages(sessionId) : null;
    this.#draw([]);
    await this.refresh();
  }

  async refresh() {
    const pages = this.#pages;
    if (!pages) return;
    await this.#try(async () => {
      const found = await pages.list();
      if (pages === this.#pages) this.#draw(found);
    });
  }

  async #putSample() {
    const pages = this.#pages;
    if (!pages) return;
    await this.#try(async () => {
      const html = samplePage(clockTime(new Date()));
      const page = await pages.put({ html, title: "Three huts, two days" });
      const found = await pages.list();
      // A new page may be missing from the list for up to a minute.
      const all = found.some(({ intentId }) => intentId === page.intentId) ? found : [page, ...found];
      if (pages === this.#pages) this.#draw(all);
    });
  }

  /** @param {PageInfo} page */
  async #delete({ intentId, title }) {
    const pages = this.#pages;
    if (!pages || !(await confirmed(`Delete “${title || intentId}”?`, "Its address stops working.", "Delete page"))) return;
    await this.#try(async () => {
      await pages.delete(intentId);
      const found = await pages.list();
      if (pages === this.#pages) this.#draw(found.filter((page) => page.intentId !== intentId));
    });
    byId("put-sample").focus();
  }

  /** @param {() => Promise<void>} action */
  async #try(action) {
    try {
      await action();
      showBanner(byId("pages-banner"), null);
    } catch (error) {
      dailyLimit.heard(error);
      showBanner(byId("pages-banner"), errorText(error), "bad");
    }
  }

  /** @param {PageInfo[]} found */
  #draw(found) {
    byId("pages-empty").hidden = found.length > 0;
    byId("pages-empty").textContent = this.#pages
      ? "No pages yet. An agent can publish pages in this thread; each is kept for a day."
      : "Pages belong to a thread. Send a message to start one.";
    byId("put-sample").toggleAttribute("disabled", !this.#pages);
    byId("refresh-pages").toggleAttribute("disabled", !this.#pages);
    const shown = JSON.stringify([this.#pages?.sessionId ?? null, found]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const sorted = [...found].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
    byId("pages").replaceChildren(...sorted.map((page) => this.#card(page)));
  }

  /** @param {PageInfo} page */
  #card(page) {
    const title = page.title || page.intentId;
    const thumb = this.#frame(page, `Preview of ${title}`);
    thumb.setAttribute("loading", "lazy");
    thumb.inert = true;
    const open = el("button", { type: "button", class: "page-open", onclick: () => this.#preview(page) });
    open.append(el("span", { class: "page-title", dir: "auto" }, title));
    const remove = el("button", { type: "button", class: "quiet", onclick: () => this.#delete(page) }, "Delete");
    remove.setAttribute("aria-label", `Delete ${title}`);
    const note = el("span", { class: "hint" }, `${age(new Date(page.updatedAt))}, ${fileSize(page.size)}`);
    return el(
      "li",
      { class: "page" },
      el("div", { class: "thumb" }, thumb),
      open,
      el("p", { class: "page-foot" }, note, remove),
    );
  }

  /** @param {PageInfo} page */
  #preview(page) {
    const title = page.title || page.intentId;
    byId("preview-title").textContent = title;
    byId("preview-open").setAttribute("href", this.#pages?.url(page.intentId) ?? "");
    byId("preview-place").replaceChildren(this.#frame(page, title));
    /** @type {HTMLDialogElement} */ (byId("preview")).showModal();
  }

  /** @param {PageInfo} page @param {string} title */
  #frame(page, title) {
    const src = this.#pages?.url(page.intentId);
    return el("iframe", { sandbox: SANDBOX, referrerpolicy: "no-referrer", title, src });
  }
}
