/** The agent's panel: join a tab with its code, see its tools, call one. */

import { ApiError, joinSession } from "../../waypost.js";
import { Calls } from "./calls.js";
import { dailyLimit } from "../daily-limit.js";
import { byId, el, showBanner, showPill, toast } from "../shared/dom.js";
import { keepKey, recallKey } from "../tab/encryption.js";
import { age, clockTime, codeParts } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { keep, recall } from "../shared/storage.js";
import { argumentFields } from "./schema-form.js";
import { annotationBadges } from "./annotations.js";
import { readTyped } from "./typed-invite.js";

/** How often the tab's presence and tools are refreshed while the page is visible. */
const REFRESH_MS = 15_000;

const TOOL = "waypost.agent.tool";

/** So many tools are searched rather than read. */
const MANY = 10;

/** @typedef {import("../../waypost.js").ToolDefinition} ToolDefinition */

export class Agent {
  #calls;
  #tab;
  /** @type {import("../../waypost.js").Guest | null} */
  #guest = null;
  /** The tools on the page as JSON, so that a refresh without changes leaves forms and focus alone. */
  #shownTools = "";
  /** @type {string | null} */
  #selected = recall("sessionStorage", TOOL);

  /** @param {{ code: string | null, link: string | null }} tab this page's own */
  constructor(tab) {
    this.#calls = new Calls(tab);
    this.#tab = tab;
    byId("join").addEventListener("submit", (event) => {
      event.preventDefault();
      this.join(this.#input.value);
    });
    byId("leave").addEventListener("click", () => {
      this.#leave();
      this.#input.focus();
    });
    byId("use-own").addEventListener("click", () => this.join(tab.link ?? ""));
    byId("tools-filter").addEventListener("input", () => this.#filterTools());
    setInterval(() => document.visibilityState === "visible" && this.#refresh(), REFRESH_MS);
    addEventListener("online", () => this.#refresh());
  }

  get #input() {
    return /** @type {HTMLInputElement} */ (byId("join-code"));
  }

  /**
   * @param {string} text a code or a link
   * @param {string} [key]
   */
  async join(text, key) {
    this.#leave();
    // A key is never shown: what stays in the field is the code.
    this.#input.value = "";
    if (text.trim() === "") return;
    const typed = readTyped(text, location.origin);
    if ("fault" in typed) return this.#refuse(text, typed);
    byId("join-submit").setAttribute("disabled", "");
    try {
      const invite = { key, ...typed };
      this.#input.value = codeParts(invite.code).join("");
      const known = invite.key ?? recallKey(invite.code);
      this.#guest = await joinSession(invite.code, { key: known });
      if (known !== undefined) keepKey(invite.code, known);
      this.#showJoined(true);
      await this.#refresh();
      byId("tools").querySelector("input")?.focus();
      if (this.#guest) this.#calls.resume(this.#guest);
    } catch (error) {
      dailyLimit.heard(error);
      showBanner(byId("agent-banner"), errorText(error), "bad");
      this.#input.focus();
    } finally {
      byId("join-submit").removeAttribute("disabled");
    }
  }

  /** Calls a tool of this page's own tab once more. @param {string} tool @param {Record<string, unknown>} args */
  async callOwn(tool, args) {
    const { code, link } = this.#tab;
    if (code === null || link === null) return toast("This tab has no session now.");
    if (this.#guest?.code !== code) await this.join(link);
    if (this.#guest?.code === code) await this.#calls.start(this.#guest, tool, args ?? {});
  }

  /** @param {string} text @param {import("./typed-invite.js").Fault} fault */
  #refuse(text, { fault, link }) {
    // What was typed stays, to be corrected; a link may hold a key.
    if (!text.includes("#")) this.#input.value = text;
    const away = link && el("a", { href: link, rel: "noreferrer" }, "Open it there");
    showBanner(byId("agent-banner"), `${fault} `, "bad", away);
    this.#input.focus();
  }

  #leave() {
    this.#guest = null;
    this.#shownTools = "";
    this.#showJoined(false);
    showBanner(byId("agent-banner"), null);
    byId("call-place").replaceChildren();
    byId("tools").replaceChildren();
  }

  /** @param {boolean} isJoined */
  #showJoined(isJoined) {
    byId("joined").hidden = !isJoined;
    byId("leave").hidden = !isJoined;
    byId("join-submit").hidden = isJoined;
    byId("agent-hint").hidden = isJoined;
    byId("agent-about").hidden = !isJoined;
    if (!isJoined) byId("agent-title").textContent = "Try it as an agent";
    byId("presence").hidden = true;
    byId("agent-lock").hidden = !this.#guest?.encrypted;
    this.#input.readOnly = isJoined;
  }

  async #refresh() {
    const guest = this.#guest;
    if (!guest || dailyLimit.isShown) return;
    try {
      const info = await guest.session();
      if (guest !== this.#guest) return;
      if (info.encrypted && !guest.encrypted) return this.#lackKey();
      this.#showLabel(info);
      this.#showPresence(info);
      this.#showTools(info.tools);
    } catch (error) {
      if (guest !== this.#guest) return;
      dailyLimit.heard(error);
      if (error instanceof ApiError && error.isFinal) this.#leave();
      else showPill(byId("presence"), "Server unreachable", "warn");
      showBanner(byId("agent-banner"), errorText(error), "bad");
    }
  }

  #lackKey() {
    this.#leave();
    const text = "This session is encrypted, so its code alone is not enough. Scan the tab’s QR code, or paste its link here.";
    showBanner(byId("agent-banner"), text, "warn");
    this.#input.focus();
  }

  /** @param {import("../../waypost.js").SessionInfo} info */
  #showLabel({ label }) {
    const isOwn = this.#guest?.code === this.#tab.code;
    byId("agent-title").textContent = isOwn ? "You are an agent of this tab" : `You are connected to ${plain(label || "a tab")}`;
    byId("agent-about").textContent = isOwn
      ? "Call its tools here. Your own calls need no approval."
      : "Call its tools here. Its person sees each call, and may be asked to allow it first.";
  }

  /** @param {import("../../waypost.js").SessionInfo} info */
  #showPresence({ hostOnline, hostSeenAt }) {
    const banner = byId("agent-banner");
    showPill(byId("presence"), hostOnline ? "Tab online" : "Tab offline", hostOnline ? "good" : "warn");
    if (hostOnline) return showBanner(banner, null);
    const seen = hostSeenAt === null ? null : new Date(hostSeenAt);
    const since = seen ? `was last online at ${clockTime(seen)} (${age(seen)})` : "has not been online yet";
    showBanner(banner, `The tab is offline. It ${since}. Your calls wait until it is online again.`, "warn");
  }

  /** @param {ToolDefinition[]} tools */
  #showTools(tools) {
    const text = JSON.stringify(tools);
    if (text === this.#shownTools) return;
    this.#shownTools = text;
    byId("tools-empty").hidden = tools.length > 0;
    byId("tools").replaceChildren(...tools.map((tool) => this.#choice(tool)));
    byId("tools-filter").hidden = tools.length < MANY;
    this.#filterTools();
    const again = tools.find(({ name }) => name === this.#selected) ?? tools[0];
    if (again) this.#select(again);
    else byId("call-place").replaceChildren();
  }

  #filterTools() {
    const filter = /** @type {HTMLInputElement} */ (byId("tools-filter"));
    const wanted = filter.hidden ? "" : filter.value.trim().toLowerCase();
    for (const label of byId("tools").querySelectorAll("label")) {
      label.hidden = !label.textContent?.toLowerCase().includes(wanted);
    }
  }

  /** @param {ToolDefinition} tool */
  #choice(tool) {
    const radio = el("input", { type: "radio", name: "tool", onchange: () => this.#select(tool) });
    radio.value = tool.name;
    const label = el("span", {}, el("b", { class: "tool-name" }, el("code", {}, plain(tool.name)), ...annotationBadges(tool.annotations)), el("span", {}, plain(`${tool.description ?? tool.title ?? ""}`)));
    return el("label", { class: "tool" }, radio, label);
  }

  /** @param {ToolDefinition} tool */
  #select(tool) {
    this.#selected = tool.name;
    keep("sessionStorage", TOOL, tool.name);
    for (const radio of byId("tools").querySelectorAll("input")) radio.checked = radio.value === tool.name;
    const fields = argumentFields(tool.inputSchema);
    const form = el("form", { class: "call", "aria-label": `Arguments of ${tool.name}` }, ...fields.elements);
    if (fields.elements.length === 0) form.append(el("p", { class: "hint" }, "This tool takes no arguments."));
    form.append(el("button", { class: "primary" }, "Call ", el("code", {}, plain(tool.name))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#guest) this.#calls.start(this.#guest, tool.name, fields.read()).then(() => this.#refresh());
    });
    byId("call-place").replaceChildren(form);
  }
}

/** @param {unknown} error */
function errorText(error) {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 410) return "This session has ended. Ask for a new code.";
  if (error.status === 404 || error.code === "invalid_code") return "No open session has this code. Check it, or ask for a new one.";
  if (error.status === 429) return `Too many attempts. Wait ${Math.ceil(error.retryAfterMs / 1000) || "a few"} s and try again.`;
  return error.message;
}
