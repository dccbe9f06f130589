/** This tab's session on the page: created or restored, connected, ended, replaced. */

import { Host, Session } from "../../waypost.js";
import { decide } from "../approval/approvals.js";
import { confirmed } from "../chat/confirm.js";
import { byId, copies, showBanner, showPill } from "../shared/dom.js";
import { showConnection } from "./connection-state.js";
import { restoreSwitch } from "./encryption.js";
import { endText } from "./end-text.js";
import { Countdown } from "./countdown.js";
import { holdAddress } from "../mcp/address-holder.js";
import { McpPanel } from "../mcp/panel.js";
import { Opener, reasonOf } from "./opener.js";
import { Plate } from "./plate.js";
import { curlCommand } from "./snippets.js";
import { offerTools } from "../tools/example-tools.js";
import { setTitle } from "../views.js";

/** How long `ready()` waits for the connection. */
const READY_MS = 10_000;

export class Tab {
  #log;
  #plate = new Plate(() => this.#session);
  #countdown = new Countdown();
  #mcp = new McpPanel();
  /** @type {Host | null} */
  #host = null;
  #opener = new Opener((session) => {
    const old = this.#host;
    this.#use(session);
    if (old) retire(old);
  });
  /** @type {Promise<void> | null} */
  #started = null;
  /** Resolves when the session is connected for the first time, or is over. @type {Promise<void>} */
  #connected = Promise.resolve();
  #letAddressGo = () => {};
  /** Called when the session or its state changes. */
  onChange = () => {};

  /** @param {import("./request-log.js").RequestLog} log */
  constructor(log) {
    this.#log = log;
    restoreSwitch();
    copies(byId("copy-curl"), () => byId("curl").textContent ?? "");
    byId("end").addEventListener("click", () => this.#end());
    byId("renew").addEventListener("click", () => this.#renew());
  }

  /** The code of the session, while there is one. */
  get code() {
    return this.#session?.code ?? null;
  }

  /** The link that invites an agent, while there is a session. */
  get link() {
    return this.#session?.link ?? null;
  }

  /** Whether the session is encrypted. */
  get isEncrypted() {
    return this.#session?.key !== undefined;
  }

  /** The state of the session; null while there is none. */
  get state() {
    return this.#session ? (this.#host?.state.state ?? null) : null;
  }

  get #session() {
    return this.#host && this.#host.state.state !== "ended" ? this.#host.session : null;
  }

  /** Restores the session that this tab had before a reload, or creates one. A duplicated tab gets a session of its own. */
  start() {
    return (this.#started ??= this.#start());
  }

  /**
   * Starts, or opens another session if the last one is over, and waits until it is connected, or for some seconds.
   * @returns {Promise<Session | null>} null: no session could be opened yet
   */
  async ready() {
    await this.start();
    if (this.#host && !this.#session) await this.#renew();
    await Promise.race([this.#connected, new Promise((resolve) => setTimeout(resolve, READY_MS))]);
    return this.#session;
  }

  async #start() {
    const kept = await Session.claim();
    if (kept) this.#use(kept, { isRestored: true });
    else await this.#opener.open();
  }

  /** @param {Session} session @param {{ isRestored?: boolean }} [options] */
  #use(session, { isRestored = false } = {}) {
    session.save();
    this.#holdAddress(session, isRestored);
    /** @param {import("../../waypost.js").ApprovalRequest} request */
    const approve = (request) => decide(session.code, request);
    const host = (this.#host = new Host(session, { approve }));
    offerTools(host, approve);
    this.#log.follow(host, { isRestored });
    // Events of a session that was replaced are ignored.
    host.on("state", (state) => {
      if (host !== this.#host) return;
      this.#showState(state, host);
      this.onChange();
    });
    host.on("session", () => {
      if (host !== this.#host) return;
      session.save();
      this.#countdown.show(session.expiresAt);
    });
    this.#show(session);
    this.#connected = host.connect().catch(() => {
      // Shown by the `ended` state.
    });
    this.onChange();
  }

  /** @param {Session} session @param {boolean} isRestored */
  #holdAddress(session, isRestored) {
    this.#letAddressGo();
    this.#letAddressGo = () => {};
    if (session.address === undefined) return;
    const claimed = (/** @type {unknown} */ error) => {
      if (session !== this.#session) return;
      if (error === undefined) session.save();
      this.#mcp.showClaim(error);
    };
    this.#letAddressGo = holdAddress(session, { isRestored, claimed });
  }

  async #end() {
    if (!(await this.#mayEnd("End this session?", "End it"))) return;
    byId("end").setAttribute("disabled", "");
    try {
      await this.#host?.end();
    } catch (error) {
      byId("end").removeAttribute("disabled");
      showBanner(byId("tab-banner"), `Could not end the session. ${reasonOf(error)} Try again.`, "bad");
    }
  }

  /** Opens another session, and then ends this one: if that fails, this one goes on. */
  async #renew() {
    if (!this.#session) {
      this.#host = null;
      Session.forget();
      this.onChange();
      return this.#opener.open();
    }
    if (await this.#mayEnd("Start a new session?", "Start it")) await this.#opener.replace(() => this.#session !== null);
  }

  /** Asks the person, if somebody has used the session. @param {string} question @param {string} yes */
  async #mayEnd(question, yes) {
    const { calls, open } = this.#log.use;
    if (calls === 0 || isElsewhere(this.state)) return true;
    const waiting = open === 0 ? "" : ` ${open === 1 ? "One call is" : `${open} calls are`} open, and will be cancelled.`;
    return confirmed(question, `Agents have used this session. Its code and link stop working.${waiting}`, yes);
  }

  /** @param {Session} session */
  #show(session) {
    const isEncrypted = session.key !== undefined;
    setTitle("session", `${isEncrypted ? "Encrypted session" : session.code} · Waypost`);
    this.#plate.show(session);
    byId("terminal").dataset.state = isEncrypted ? "sealed" : "open";
    byId("curl").textContent = curlCommand(location.origin, session.code);
    this.#mcp.show(session);
    showBanner(byId("tab-banner"), null);
    this.#countdown.begin(session.expiresAt);
    byId("use-own").hidden = false;
  }

  /** @param {import("../../waypost.js").StreamState} now @param {Host} host */
  #showState(now, host) {
    this.#countdown.isConnected(now.state === "online");
    if (now.state === "ended") return this.#showEnd(now);
    // Another host extends the session, which this tab is not told.
    if (isElsewhere(now.state)) this.#countdown.hide();
    showConnection(now, host);
  }

  /** @param {import("../../waypost.js").StreamState} end */
  #showEnd(end) {
    Session.forget();
    this.#letAddressGo();
    setTitle("session", "Waypost");
    showPill(byId("tab-state"), "Ended", "bad");
    this.#plate.showEnd();
    byId("use-own").hidden = true;
    byId("terminal").dataset.state = "over";
    this.#countdown.hide();
    this.#mcp.hide();
    showBanner(byId("tab-banner"), `${endText(end)} Its code no longer works.`, "info");
    // The focused button may be disabled now. Focus elsewhere on the page is left alone.
    if ([document.body, byId("end")].includes(/** @type {HTMLElement} */ (document.activeElement))) byId("renew").focus();
  }
}

/** Ends a session that was replaced. @param {Host} old */
function retire(old) {
  const { state } = old.state;
  // One that another host has is that one's to end.
  if (isElsewhere(state)) old.close();
  else if (state !== "ended") {
    old.end().catch(() => {
      // The server is unreachable. Without this host the session expires by itself.
      old.close();
    });
  }
}

/** Whether another host has the session. @param {string | null} state */
function isElsewhere(state) {
  return state === "superseded" || state === "elsewhere";
}
