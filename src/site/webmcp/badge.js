/**
 * The badge on the page: a button, and a panel that it opens. What runs before the person shares anything is here; the rest is
 * loaded then. It is in a shadow root, so that neither the page's style sheets nor the badge's reach the other.
 */

import { el } from "../console/shared/dom.js";
import { arrow } from "./icon.js";
import { introduction } from "./introduction.js";
import { wasSharing } from "./own-storage.js";
import { CSS } from "./style.js";

/** @typedef {import("../client/webmcp/page-tools.js").PageTools} PageTools */
/** @typedef {import("./options.js").Options} Options */

/** What the badge shows. `attention`: the person is asked something. @typedef {{ label: string, kind: "" | "good" | "busy" | "warn" | "bad", attention?: boolean }} Look */

export class Badge {
  #page;
  #options;
  #load;
  #place = document.createElement("waypost-webmcp");
  #button = el("button", { type: "button", class: "pill", "aria-expanded": "false", "aria-controls": "panel" });
  #body = el("div", { class: "body" });
  #said = el("p", { class: "sr", role: "status" });
  #panel;
  #isOpen = false;
  #isShared = false;

  /**
   * @param {PageTools} page
   * @param {Options} options
   * @param {() => Promise<typeof import("./shared-view.js")>} load
   */
  constructor(page, options, load) {
    this.#page = page;
    this.#options = options;
    this.#load = load;
    const minimise = el("button", { type: "button", class: "quiet", "aria-label": "Minimise", onclick: () => this.open(false) }, "–");
    this.#panel = el(
      "section",
      { id: "panel", class: "panel", role: "dialog", "aria-labelledby": "title", tabindex: -1, hidden: true },
      el("header", {}, arrow(), el("h2", { id: "title" }, "Agents on this page"), minimise),
      this.#body,
    );
    this.#button.addEventListener("click", () => this.open(!this.#isOpen));
    this.#place.dataset.position = options.position;
    this.#fill();
    page.on("change", () => this.#showTools());
  }

  /** Puts it on the page; goes on sharing if this tab did before a reload or on an earlier page of the site. */
  async show() {
    this.#stay();
    this.#showTools();
    if (wasSharing() || this.#options.autostart) await this.share({ isNew: this.#options.autostart });
  }

  /**
   * Shares the page's tools.
   * @param {{ isNew?: boolean }} [options] false: only goes on with the session that this tab has
   */
  async share({ isNew = true } = {}) {
    if (this.#isShared) return;
    this.#isShared = true;
    this.look({ label: "Opening", kind: "busy" });
    this.#body.replaceChildren(el("p", { class: "hint" }, "Opening a session."));
    try {
      const { SharedView } = await this.#load();
      await new SharedView(this, this.#options).start(isNew);
    } catch (error) {
      // Its modules did not arrive.
      this.over(`Waypost could not be loaded: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Nothing is shared any more, for this reason. @param {string | null} reason */
  over(reason) {
    this.#isShared = false;
    this.#showTools(reason);
    if (reason) this.say(reason);
  }

  /** @param {Look} look */
  look({ label, kind, attention = false }) {
    this.#button.dataset.kind = kind;
    this.#button.classList.toggle("attention", attention);
    this.#button.replaceChildren(arrow(), el("span", {}, label));
    this.#place.hidden = false;
  }

  /** Shows this in the panel. @param {...Node} content */
  fill(...content) {
    this.#body.replaceChildren(...content);
  }

  /** Reads it to a screen reader. @param {string} text */
  say(text) {
    this.#said.textContent = text;
  }

  /**
   * Opens or minimises the panel. The person's click moves the focus; a call that waits does not.
   * @param {boolean} isOpen
   * @param {{ focus?: boolean }} [options]
   */
  open(isOpen, { focus = true } = {}) {
    const hadFocus = this.#panel.contains(this.root.activeElement);
    this.#isOpen = isOpen;
    this.#panel.hidden = !isOpen;
    this.#button.setAttribute("aria-expanded", `${isOpen}`);
    if (isOpen && focus) this.#panel.focus();
    if (!isOpen && (focus || hadFocus)) this.#button.focus();
  }

  /** Shows the upper end of the panel, where questions are. */
  scrollUp() {
    this.#panel.scrollTop = 0;
  }

  /** Whether the panel is open. */
  get isOpen() {
    return this.#isOpen;
  }

  get root() {
    return /** @type {ShadowRoot} */ (this.#place.shadowRoot);
  }

  /** @param {string | null} [reason] */
  #showTools(reason = null) {
    if (this.#isShared) return;
    const tools = [...this.#page.tools.values()].map(({ definition }) => definition);
    // Nothing to share: nothing to see.
    this.look({ label: `Share ${tools.length} ${tools.length === 1 ? "tool" : "tools"}`, kind: reason ? "bad" : "" });
    this.#place.hidden = tools.length === 0 && !reason && !this.#isOpen;
    this.#body.replaceChildren(...introduction(tools, this.#options.approve, reason, () => this.share()));
  }

  #fill() {
    const root = this.#place.attachShadow({ mode: "open" });
    // Allowed under every Content-Security-Policy, unlike a style element or attribute.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    // A tool that clicks in the page must not decide about its own calls: only the person's clicks count.
    root.addEventListener("click", (event) => event.isTrusted || event.stopImmediatePropagation(), true);
    root.addEventListener("keydown", (event) => {
      if (/** @type {KeyboardEvent} */ (event).key === "Escape" && this.#isOpen) this.open(false);
      // Not a shortcut of the page.
      event.stopPropagation();
    });
    const { position, theme } = this.#options;
    root.append(el("div", { class: "frame", "data-position": position, "data-theme": theme }, this.#panel, this.#button, this.#said));
  }

  /** Frameworks and scripts that replace the page's content take the badge with it: it comes back. */
  #stay() {
    const put = () => this.#place.isConnected || document.documentElement.append(this.#place);
    put();
    new MutationObserver(put).observe(document, { childList: true });
    new MutationObserver(put).observe(document.documentElement, { childList: true });
  }
}
