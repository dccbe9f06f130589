/** The page's tools while they are shared: the session, and what the badge shows of it. */

import { copies, el } from "../console/shared/dom.js";
import { codeParts } from "../console/shared/format.js";
import { qrCode } from "../console/tab/qr.js";
import { holdAddress } from "../console/mcp/address-holder.js";
import { wantsToken } from "../console/mcp/wants-token.js";
import { ApiError } from "../client/errors.js";
import { Host } from "../client/host/host.js";
import { ownOrigin } from "../client/server.js";
import { createSession, Session } from "../client/session/session.js";
import { GuestToken } from "./guest-token.js";
import { toolList } from "./introduction.js";
import { ownStorage } from "./own-storage.js";
import { endText, openingProblem, PolicyWatch } from "./problems.js";
import { Questions } from "./questions.js";

/** @typedef {import("./badge.js").Badge} Badge */
/** @typedef {import("./badge.js").Look} Look */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("../waypost.js").StreamState} StreamState */

/** Characters of a label that the server accepts. */
const MAX_LABEL_LENGTH = 100;

/** @type {Record<StreamState["state"], { text: string, kind: Look["kind"] }>} */
const STATES = {
  connecting: { text: "Connecting", kind: "busy" },
  online: { text: "Shared", kind: "good" },
  waiting: { text: "Reconnecting", kind: "warn" },
  offline: { text: "Offline", kind: "warn" },
  elsewhere: { text: "Shared in another tab", kind: "warn" },
  superseded: { text: "Taken over elsewhere", kind: "warn" },
  ended: { text: "Ended", kind: "bad" },
};

export class SharedView {
  #badge;
  #options;
  #storage = ownStorage();
  #policy = new PolicyWatch();
  #questions;
  #state = el("p", { class: "state", role: "status" });
  #tools = el("div");
  /** @type {Host | null} */
  #host = null;
  #letAddressGo = () => {};

  /**
   * @param {Badge} badge
   * @param {Options} options
   */
  constructor(badge, options) {
    this.#badge = badge;
    this.#options = options;
    this.#questions = new Questions((count, text) => this.#tellWaiting(count, text));
  }

  /**
   * Goes on with the session that this tab has, or opens one, and offers the page's tools.
   * @param {boolean} isNew false: opens none. A duplicated tab, whose session is the first one's, shares nothing by itself
   */
  async start(isNew) {
    try {
      const kept = await Session.claim(this.#storage);
      // Of another deployment, if the site has changed its tag since.
      if (kept?.baseUrl === ownOrigin()) await this.#use(kept, true);
      else if (isNew) await this.#use(await this.#open(), false);
      else this.#over(null);
    } catch (error) {
      await this.#policy.reported();
      this.#over(this.#policy.problem ?? (await openingProblem(error)));
      this.#badge.open(true, { focus: false });
    }
  }

  /** @param {Session} session @param {boolean} isRestored */
  async #use(session, isRestored) {
    this.#save(session);
    this.#holdAddress(session, isRestored);
    const { approve } = this.#options;
    const host = (this.#host = new Host(session, {
      storage: this.#storage,
      ...(approve === "never" ? {} : { approve: (request) => this.#questions.ask(request) }),
    }));
    const page = host.webmcp();
    const show = () => {
      if (approve === "always") for (const { name } of page.tools) if (!host.needsApproval(name)) host.requireApproval(name);
      const list = toolList(page.tools, page.refused, (name) => (approve === "never" ? null : askBox(host, name)));
      this.#tools.replaceChildren(...(list ? [list] : []));
    };
    page.on("change", show);
    // "Always allow" changes the box.
    host.on("approval", show);
    // A call must not arrive before the page had a chance to register the tool that it is for.
    await loaded();
    await page.ready();
    show();
    host.on("state", (state) => this.#showState(state));
    host.on("session", () => this.#save(session));
    this.#showSession(session);
    // Its end is shown by the state.
    host.connect().catch(() => {});
  }

  /** @param {Session} session */
  #showSession(session) {
    const { code, link, baseUrl } = session;
    const button = (/** @type {string} */ name, /** @type {string} */ kind, /** @type {string} */ text) => {
      const made = el("button", { type: "button", class: kind }, name);
      copies(made, () => text);
      return made;
    };
    const renew = el("button", { type: "button", class: "link", onclick: () => this.#renew(session, renew) }, "Replace it");
    const hint = el("p", { class: "hint" }, "Give one of these to your agent only: with it, the tools below can be called in this tab.");
    const actions = el("div", { class: "actions" }, button("Copy MCP URL", "primary", session.mcpUrl), button("Copy code", "", code), button("Copy link", "", link));
    const offerToken = async () => {
      // The address is enough everywhere.
      if (session.address || !(await wantsToken(baseUrl, code))) return;
      const token = new GuestToken(session);
      actions.replaceChildren(button("Copy MCP URL", "primary", new URL("/mcp", baseUrl).href), token.button, button("Copy link", "", link));
      hint.textContent = "Your MCP client needs the URL and a token (Authorization: Bearer). With them, the tools below can be called in this tab.";
    };
    offerToken();
    const stop = el("button", { type: "button", class: "quiet", onclick: () => this.#stop() }, "Stop sharing");
    this.#badge.fill(
      this.#questions.place,
      this.#state,
      el(
        "div",
        { class: "plate" },
        el("a", { class: "qr", href: link, target: "_blank", rel: "noreferrer" }, qrCode(link, "QR code of the link for an agent")),
        el("div", {}, el("p", { class: "hint" }, "Session code"), el("p", { class: "code", "aria-label": [...code].join(" ") }, ...codeParts(code))),
      ),
      actions,
      hint,
      ...(session.address ? [el("p", { class: "hint" }, "The MCP URL stays the same when you share here again. ", renew)] : []),
      this.#tools,
      el("div", { class: "actions" }, stop),
    );
  }

  /** @param {StreamState} now */
  #showState(now) {
    const { text, kind } = STATES[now.state];
    if (now.state === "ended") return this.#over(endText(now));
    const why = now.state === "waiting" && (this.#policy.problem ?? now.error?.message);
    this.#state.dataset.kind = kind;
    const isAway = now.state === "elsewhere" || now.state === "superseded";
    const take = isAway && el("button", { type: "button", class: "link", onclick: () => this.#host?.takeOver() }, "Take it back");
    this.#state.replaceChildren(why ? `${text}. ${why}` : text, ...(take ? [" ", take] : []));
    this.#look();
  }

  #look() {
    const { text, kind } = STATES[this.#host?.state.state ?? "connecting"];
    const { waiting } = this.#questions;
    if (waiting === 0) this.#badge.look({ label: text, kind });
    else this.#badge.look({ label: waiting === 1 ? "1 call waits for you" : `${waiting} calls wait for you`, kind: "busy", attention: true });
  }

  /** @param {number} count @param {string} text */
  #tellWaiting(count, text) {
    this.#look();
    if (text) {
      this.#badge.say(text);
      this.#badge.scrollUp();
    }
    // Where the person is typing stays theirs: the panel opens, the focus stays.
    if (count > 0 && !this.#badge.isOpen) this.#badge.open(true, { focus: false });
  }

  async #stop() {
    const host = this.#host;
    if (host && ["elsewhere", "superseded"].includes(host.state.state)) {
      // The session is the other one's to end.
      host.close();
      return this.#over("Sharing has stopped in this tab.");
    }
    try {
      await host?.end();
    } catch (error) {
      // Unreachable: without this tab the session expires by itself.
      host?.close();
      this.#over(`Sharing has stopped in this tab. The server could not be reached: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {string | null} reason */
  #over(reason) {
    this.#policy.stop();
    this.#letAddressGo();
    this.#questions.close();
    // What is stored must not bring it back.
    Session.forget(this.#storage);
    this.#badge.over(reason);
  }

  /** A new session; its MCP address is this browser's at this site, so that a client is configured once. */
  async #open() {
    const options = { label: this.#label(), data: { url: location.origin + location.pathname } };
    try {
      return await createSession({ ...options, address: true });
    } catch (error) {
      // Where a code admits one guest there are no addresses.
      if (!(error instanceof ApiError) || error.code !== "address_not_allowed") throw error;
      return createSession(options);
    }
  }

  /** @param {Session} session @param {boolean} isRestored */
  #holdAddress(session, isRestored) {
    if (session.address === undefined) return;
    const claimed = (/** @type {unknown} */ error) => {
      if (error !== undefined) this.#badge.say(`MCP clients may not reach this tab: ${error instanceof Error ? error.message : error}`);
      else this.#save(session);
    };
    // Its type is that of the published client.
    const held = /** @type {import("../waypost.js").Session} */ (/** @type {unknown} */ (session));
    this.#letAddressGo = holdAddress(held, { isRestored, claimed });
  }

  /** @param {Session} session */
  #save(session) {
    if (this.#storage) session.save(this.#storage);
  }

  /** Replaces the MCP address: who has the old URL can't call any more. @param {Session} session @param {HTMLButtonElement} button */
  async #renew(session, button) {
    button.disabled = true;
    try {
      await session.renewAddress();
      this.#save(session);
      this.#showSession(session);
      this.#badge.say("The MCP URL is a new one. The old one no longer works.");
    } catch (error) {
      button.disabled = false;
      button.textContent = `No new URL. ${error instanceof Error ? error.message : error}`;
    }
  }

  #label() {
    return (this.#options.label ?? (document.title.trim() || location.host)).slice(0, MAX_LABEL_LENGTH).toWellFormed();
  }
}

/** The box for whether calls of a tool ask the person. @param {Host} host @param {string} name */
function askBox(host, name) {
  const box = el("input", { type: "checkbox", "aria-label": `Ask first before ${name} is called` });
  box.checked = host.needsApproval(name);
  box.addEventListener("change", () => host.requireApproval(name, box.checked));
  return el("label", {}, box, "ask first");
}

/** Resolves when the page has loaded. */
async function loaded() {
  if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
}
