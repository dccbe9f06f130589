/** The MCP panel: this tab's URL, and the setup instructions for the chosen client. */

import { byId, copies, el } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";
import { clientSetups } from "./clients.js";

const CHOICE = "waypost.mcp-client";

/** The placeholder until a token is created. */
const NO_TOKEN = "GUEST_TOKEN";

/** @typedef {import("../../waypost.js").Session} Session */

export class McpPanel {
  /** @type {Session | null} */
  #session = null;
  /** Null: no token is needed. @type {string | null} */
  #token = null;

  constructor() {
    copies(byId("copy-mcp"), () => this.#url);
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
    return this.#token === null ? `${location.origin}/mcp/${this.#session?.code}` : `${location.origin}/mcp`;
  }

  /** @param {Session} session */
  async show(session) {
    const isEncrypted = session.key !== undefined;
    this.#session = session;
    this.#token = null;
    byId("mcp").hidden = false;
    byId("mcp-sealed").hidden = !isEncrypted;
    byId("mcp-ways").hidden = isEncrypted;
    if (isEncrypted) return byId("mcp-steps").replaceChildren();
    this.#draw();
    if (!(await wantsToken(session.code)) || session !== this.#session) return;
    this.#token = NO_TOKEN;
    this.#draw();
  }

  hide() {
    this.#session = null;
    byId("mcp").hidden = true;
  }

  #draw() {
    byId("mcp-url").textContent = this.#url;
    byId("mcp-token").hidden = this.#token !== NO_TOKEN;
    byId("mcp-secret").textContent = this.#token === null ? "Keep the URL secret: it contains the session code." : "Keep the token secret: it gives access to this tab.";
    const setup = clientSetups(this.#url, this.#token).find(({ id }) => id === this.#select.value);
    byId("mcp-steps").replaceChildren(...(setup ? setup.steps.flatMap(stepElements) : []));
    const link = byId("mcp-open");
    link.hidden = setup?.link === undefined;
    link.setAttribute("href", setup?.link ?? "");
    link.textContent = `Add to ${setup?.name}`;
  }

  async #getToken() {
    const session = this.#session;
    if (!session) return;
    const button = byId("mcp-get-token");
    button.setAttribute("disabled", "");
    const problem = byId("mcp-problem");
    problem.textContent = "";
    try {
      const { data } = await session.http.json("POST", `/api/sessions/${session.code}/join`, { body: {} });
      if (session !== this.#session) return;
      this.#token = data.guestToken;
      this.#draw();
      this.#select.focus();
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
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

/** Whether the server requires a token besides the code. @param {string} code */
async function wantsToken(code) {
  // Over plain HTTP the server refuses MCP requests from a page under another host name; clients get the 401 themselves.
  if (!isSecureContext) return false;
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
  const body = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  const response = await fetch(`/mcp/${code}`, { method: "POST", headers, body }).catch(() => null);
  return response?.status === 401;
}
