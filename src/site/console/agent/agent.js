/** The agent's panel: join a tab with its code, see its tools, call one. */

import { ApiError, joinSession } from "../../waypost.js";
import { Calls } from "./calls.js";
import { dailyLimit } from "../daily-limit.js";
import { byId, el, showBanner, showPill, toast } from "../shared/dom.js";
import { keepKey, recallKey } from "../tab/encryption.js";
import { age, clockTime, codeParts } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { ToolList } from "./tool-list.js";
import { readTyped } from "./typed-invite.js";

/** How often the tab's presence and tools are refreshed while the page is visible. */
const REFRESH_MS = 15_000;

export class Agent {
  #calls;
  #tab;
  /** @type {import("../../waypost.js").Guest | null} */
  #guest = null;
  #tools = new ToolList((tool, args) => this.#call(tool, args));

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
      this.#tools.focus();
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

  /** @param {string} tool @param {Record<string, unknown>} args */
  async #call(tool, args) {
    if (!this.#guest) return;
    await this.#calls.start(this.#guest, tool, args);
    this.#refresh();
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
    this.#showJoined(false);
    showBanner(byId("agent-banner"), null);
    this.#tools.clear();
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
      this.#tools.show(info.tools);
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
}

/** @param {unknown} error */
function errorText(error) {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 410) return "This session has ended. Ask for a new code.";
  if (error.status === 404 || error.code === "invalid_code") return "No open session has this code. Check it, or ask for a new one.";
  if (error.status === 429) return `Too many attempts. Wait ${Math.ceil(error.retryAfterMs / 1000) || "a few"} s and try again.`;
  return error.message;
}
