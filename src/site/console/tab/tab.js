/** This tab's session on the page: created or restored, connected, shown, ended, replaced. */

import { Backoff, CancellableSleep } from "../../client/transport/backoff.js";
import { retryAfterMs } from "../../client/errors.js";
import { Host, Session } from "../../waypost.js";
import { decide } from "../approval/approvals.js";
import { dailyLimit, inTime } from "../daily-limit.js";
import { byId, copies, el, showBanner, showPill } from "../shared/dom.js";
import { restoreSwitch } from "./encryption.js";
import { endText } from "./end-text.js";
import { clockTime, codeParts } from "../shared/format.js";
import { Countdown } from "./countdown.js";
import { holdAddress } from "../mcp/address-holder.js";
import { McpPanel } from "../mcp/panel.js";
import { openSession } from "./open-session.js";
import { qrCode } from "./qr.js";
import { curlCommand } from "./snippets.js";
import { offerTools } from "../tools/example-tools.js";
import { setTitle } from "../views.js";

/** Pauses between attempts to open a session; the last one repeats. */
const ATTEMPT_DELAYS_MS = [1000, 2000, 5000, 10_000];

/** A longer wait is shown with the time at which it ends. */
const LONG_MS = 120_000;

/** How long `ready()` waits for the connection. */
const READY_MS = 10_000;

export class Tab {
  #log;
  #countdown = new Countdown();
  #mcp = new McpPanel();
  /** @type {Host | null} */
  #host = null;
  /** The pause before the next attempt to open a session. @type {CancellableSleep | null} */
  #pause = null;
  #isOpening = false;
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
    copies(byId("copy-code"), () => this.code ?? "");
    copies(byId("copy-link"), () => this.link ?? "");
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
    else await this.#open(0);
  }

  /** @param {number} attempt */
  async #open(attempt) {
    if (this.#isOpening) return;
    this.#isOpening = true;
    this.#pause = null;
    showPill(byId("tab-state"), "Opening", "busy");
    try {
      const session = await openSession();
      this.#use(session);
    } catch (error) {
      dailyLimit.heard(error);
      const usual = ATTEMPT_DELAYS_MS[Math.min(attempt, ATTEMPT_DELAYS_MS.length - 1)];
      const wanted = retryAfterMs(error);
      const delayMs = wanted > usual ? new Backoff().next(wanted) : usual;
      this.#openAfter(delayMs, attempt + 1);
      showPill(byId("tab-state"), "No session", "bad");
      const reason = error instanceof Error ? error.message : String(error);
      const retry = wanted > usual && el("button", { type: "button", class: "link", onclick: () => this.#open(attempt + 1) }, "Try now");
      showBanner(byId("tab-banner"), `Could not open a session. ${reason} Trying again ${inTime(delayMs)}. `, "bad", retry);
    } finally {
      this.#isOpening = false;
    }
  }

  /** @param {number} delayMs @param {number} attempt */
  async #openAfter(delayMs, attempt) {
    const pause = (this.#pause = new CancellableSleep());
    await pause.start(delayMs);
    if (pause === this.#pause) await this.#open(attempt);
  }

  /** @param {Session} session @param {{ isRestored?: boolean }} [options] */
  #use(session, { isRestored = false } = {}) {
    session.save();
    this.#holdAddress(session, isRestored);
    /** @param {import("../../waypost.js").ApprovalRequest} request */
    const approve = (request) => decide(session.code, request);
    const host = (this.#host = new Host(session, { approve }));
    offerTools(host, approve);
    this.#log.follow(host);
    // Events of a session that was replaced are ignored.
    host.on("state", (state) => {
      if (host !== this.#host) return;
      this.#showState(state);
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
    byId("end").setAttribute("disabled", "");
    try {
      await this.#host?.end();
    } catch (error) {
      byId("end").removeAttribute("disabled");
      const reason = error instanceof Error ? error.message : String(error);
      showBanner(byId("tab-banner"), `Could not end the session. ${reason} Try again.`, "bad");
    }
  }

  async #renew() {
    const old = this.#host;
    this.#host = null;
    this.onChange();
    // A session that another host has taken over is that one's to end.
    if (old?.state.state === "superseded") await old.close();
    else if (old && old.state.state !== "ended") {
      old.end().catch(() => {
        // The server is unreachable. Without this host the session expires by itself.
        old.close();
      });
    }
    Session.forget();
    await this.#open(0);
  }

  /** @param {Session} session */
  #show(session) {
    const { code, link } = session;
    const isEncrypted = session.key !== undefined;
    setTitle("session", `${code} · Waypost`);
    byId("plate").classList.remove("over");
    const shown = byId("code");
    shown.replaceChildren(...codeParts(code).flatMap((part) => [part, document.createElement("wbr")]));
    shown.classList.toggle("long", code.length > 8);
    shown.setAttribute("aria-label", [...code].join(" "));
    const qr = byId("qr");
    qr.hidden = false;
    qr.setAttribute("href", link);
    qr.replaceChildren(qrCode(link, "QR code of the link for the agent"));
    qr.classList.toggle("dense", isEncrypted);
    byId("tab-lock").hidden = !isEncrypted;
    byId("tab-open").hidden = isEncrypted;
    // Useless for an encrypted session: neither contains the key.
    byId("copy-code").hidden = isEncrypted;
    byId("shell").hidden = isEncrypted;
    byId("curl").textContent = curlCommand(location.origin, code);
    this.#mcp.show(session);
    showBanner(byId("tab-banner"), null);
    for (const id of ["copy-link", "copy-code", "end"]) byId(id).removeAttribute("disabled");
    this.#countdown.show(session.expiresAt);
    byId("use-own").hidden = false;
  }

  /** @param {import("../../waypost.js").StreamState} now */
  #showState(now) {
    const pill = byId("tab-state");
    const banner = byId("tab-banner");
    this.#countdown.isConnected(now.state === "online");
    if (now.state === "ended") return this.#showEnd(now);
    if (now.state === "online") {
      showPill(pill, "Online", "good");
      showBanner(banner, null);
    } else if (now.state === "connecting") {
      showPill(pill, "Connecting", "busy");
    } else if (now.state === "superseded" || now.state === "elsewhere") {
      this.#showTakenOver(pill, banner, now.since);
    } else if (now.state === "offline") {
      showPill(pill, "Offline", "warn");
      showBanner(banner, "Your browser is offline. Requests wait on the server; this tab reconnects by itself.", "warn");
    } else {
      showPill(pill, "Reconnecting", "warn");
      if (!now.error) return;
      dailyLimit.heard(now.error);
      const retry = el("button", { type: "button", class: "link", onclick: () => this.#host?.retry() }, "Try now");
      const { delayMs = 0 } = now;
      const waits = "Requests wait on the server while this tab tries to reconnect.";
      // The session may be over by then, and its requests with it.
      const text = delayMs < LONG_MS ? waits : `This tab tries again by itself ${inTime(delayMs)}.`;
      showBanner(banner, `${now.error.message} ${text} `, "warn", retry);
    }
  }

  /** @param {HTMLElement} pill @param {HTMLElement} banner @param {Date} [since] undefined: another tab of this browser has it */
  #showTakenOver(pill, banner, since) {
    showPill(pill, "Taken over", "warn");
    // The other one extends the session, which this tab is not told.
    this.#countdown.hide();
    const take = el("button", { type: "button", class: "link", onclick: () => this.#host?.takeOver() }, "Take it back");
    const text = since
      ? `Another browser or program took this session over at ${clockTime(since)}. It answers the calls now; this tab gets none. `
      : "This session is open in another tab of this browser, which answers the calls. ";
    showBanner(banner, text, "warn", take);
  }

  /** @param {import("../../waypost.js").StreamState} end */
  #showEnd(end) {
    Session.forget();
    this.#letAddressGo();
    setTitle("session", "Waypost");
    showPill(byId("tab-state"), "Ended", "bad");
    byId("plate").classList.add("over");
    byId("qr").hidden = true;
    byId("use-own").hidden = true;
    byId("shell").hidden = true;
    for (const id of ["copy-link", "copy-code", "end"]) byId(id).setAttribute("disabled", "");
    this.#countdown.hide();
    this.#mcp.hide();
    showBanner(byId("tab-banner"), `${endText(end)} Its code no longer works.`, "info");
    // The focused button may be disabled now. Focus elsewhere on the page is left alone.
    if ([document.body, byId("end")].includes(/** @type {HTMLElement} */ (document.activeElement))) byId("renew").focus();
  }
}
