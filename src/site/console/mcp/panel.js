/** The MCP panel: this tab's URL, and the setup instructions for the chosen client. */

import { confirmed } from "../chat/confirm.js";
import { byId, copies, el } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";
import { clientSetups } from "./clients.js";
import { wantsToken } from "./wants-token.js";

const CHOICE = "waypost.mcp-client";

/** The placeholder until a token is created. */
const NO_TOKEN = "GUEST_TOKEN";

/** @typedef {import("../../waypost.js").Session} Session */

export class McpPanel {
  /** @type {Session | null} */
  #session = null;
  /** Null: no token is needed. @type {string | null} */
  #token = null;

  /** Whether another tab has renewed the address since. */
  #isStale = false;

  constructor() {
    copies(byId("copy-mcp"), () => this.#url);
    byId("mcp-renew").addEventListener("click", () => this.#renew());
    addEventListener("storage", ({ key }) => {
      if (!key?.startsWith("waypost.address.") || !this.#session?.address) return;
      this.#isStale = true;
      this.#draw();
    });
    byId("mcp-get-token").addEventListener("click", () => this.#getToken());
    this.#select.append(...clientSetups("", null).map(({ id, name }) => el("option", { value: id }, name)));
    this.#select.value = recall("localStorage", CHOICE) ?? "claude-code";
    if (this.#select.selectedIndex < 0) this.#select.selectedIndex = 0;
    this.#select.addEventListener("change", () => {
      keep("localStorage", CHOICE, this.#select.value);
      this.#draw();
    });
  }

  get #select() {
    return /** @type {HTMLSelectElement} */ (byId("mcp-client"));
  }

  get #url() {
    if (this.#token !== null) return `${location.origin}/mcp`;
    return this.#address ? /** @type {Session} */ (this.#session).mcpUrl : `${location.origin}/mcp/${this.#session?.code}`;
  }

  /** The address that still leads to this browser. */
  get #address() {
    return this.#isStale ? undefined : this.#session?.address;
  }

  /** @param {Session} session */
  async show(session) {
    const isEncrypted = session.key !== undefined;
    this.#session = session;
    this.#token = null;
    this.#isStale = false;
    byId("mcp").dataset.state = isEncrypted ? "sealed" : "open";
    if (isEncrypted) return byId("mcp-steps").replaceChildren();
    this.#draw();
    // The address is enough everywhere.
    if (this.#address) return;
    if (!(await wantsToken(location.origin, session.code)) || session !== this.#session) return;
    this.#token = NO_TOKEN;
    this.#draw();
  }

  /** Shows the address after this tab has claimed it, or why it could not. @param {unknown} error */
  showClaim(error) {
    this.#isStale = error !== undefined && this.#isStale;
    byId("mcp-renewed").textContent = error instanceof Error ? `MCP clients may not reach this tab: ${error.message}` : "";
    this.#draw();
  }

  hide() {
    this.#session = null;
    byId("mcp").dataset.state = "over";
  }

  #draw() {
    byId("mcp-url").textContent = this.#url;
    byId("mcp-token").hidden = this.#token !== NO_TOKEN;
    byId("mcp-secret").textContent = this.#secrecy;
    byId("mcp-stays").hidden = this.#address === undefined;
    byId("mcp-stale").hidden = !this.#isStale;
    const setup = clientSetups(this.#url, this.#token).find(({ id }) => id === this.#select.value);
    byId("mcp-steps").replaceChildren(...(setup ? setup.steps.flatMap(stepElements) : []));
    const link = byId("mcp-open");
    link.hidden = setup?.link === undefined;
    link.setAttribute("href", setup?.link ?? "");
    link.textContent = `Add to ${setup?.name}`;
  }

  get #secrecy() {
    if (this.#token !== null) return "Keep the token secret: it gives access to this tab.";
    if (!this.#address) return "Keep the URL secret: it contains the session code.";
    return "Keep the URL secret: until it is renewed, it gives access to this tab and to every later one of this browser.";
  }

  async #renew() {
    const session = this.#session;
    const question = "Renew this browser’s MCP address?";
    const consequence = "MCP clients that use the present URL lose access to this browser for good. Configure them with the new URL.";
    if (!session || !(await confirmed(question, consequence, "Renew address"))) return;
    await this.#ask(byId("mcp-renew"), byId("mcp-renewed"), async () => {
      await session.renewAddress();
      session.save();
      if (session !== this.#session) return;
      this.#isStale = false;
      this.#draw();
      byId("mcp-renewed").textContent = "The address is new.";
    });
  }

  async #getToken() {
    const session = this.#session;
    if (!session) return;
    await this.#ask(byId("mcp-get-token"), byId("mcp-problem"), async () => {
      const { data } = await session.http.json("POST", `/api/sessions/${session.code}/join`, { body: {} });
      if (session !== this.#session) return;
      this.#token = data.guestToken;
      this.#draw();
      this.#select.focus();
    });
  }

  /** @param {HTMLElement} button disabled meanwhile @param {HTMLElement} place shows the error @param {() => Promise<void>} act */
  async #ask(button, place, act) {
    button.setAttribute("disabled", "");
    place.textContent = "";
    try {
      await act();
    } catch (error) {
      place.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      button.removeAttribute("disabled");
    }
  }
}

/** @param {import("./clients.js").Step} step */
function stepElements({ how, text }) {
  const said = el("p", { class: "hint" }, how);
  if (text === "") return [said];
  const copy = el("button", { type: "button", class: "quiet", "aria-label": `Copy: ${how}` }, "Copy");
  copies(copy, () => text);
  return [
    el("div", { class: "mcp-step" }, said, copy),
    el("pre", { class: "snippet", tabindex: 0, "aria-label": how }, text),
  ];
}
