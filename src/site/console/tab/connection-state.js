/** The state of the tab's connection: a pill, and a banner where there is more to say. */

import { dailyLimit, inTime } from "../daily-limit.js";
import { byId, el, showBanner, showPill } from "../shared/dom.js";
import { clockTime } from "../shared/format.js";

/** A longer wait is shown with the time at which it ends. */
const LONG_MS = 120_000;

/** @typedef {import("../../waypost.js").Host} Host */
/** @typedef {import("../../waypost.js").StreamState} StreamState */

/** Shows any state but `ended`. @param {StreamState} now @param {Host} host */
export function showConnection(now, host) {
  const pill = byId("tab-state");
  const banner = byId("tab-banner");
  if (now.state === "online") {
    showPill(pill, "Online", "good");
    showBanner(banner, null);
  } else if (now.state === "connecting") {
    showPill(pill, "Connecting", "busy");
  } else if (now.state === "superseded" || now.state === "elsewhere") {
    showPill(pill, "Taken over", "warn");
    showTakenOver(banner, host, now.since);
  } else if (now.state === "offline") {
    showPill(pill, "Offline", "warn");
    showBanner(banner, "Your browser is offline. Requests wait on the server; this tab reconnects by itself.", "warn");
  } else {
    showPill(pill, "Reconnecting", "warn");
    if (now.error) showReconnecting(banner, host, now.error, now.delayMs ?? 0);
  }
}

/** @param {HTMLElement} banner @param {Host} host @param {Error} error @param {number} delayMs */
function showReconnecting(banner, host, error, delayMs) {
  dailyLimit.heard(error);
  const retry = el("button", { type: "button", class: "link", onclick: () => host.retry() }, "Try now");
  const waits = "Requests wait on the server while this tab tries to reconnect.";
  // The session may be over by then, and its requests with it.
  const text = delayMs < LONG_MS ? waits : `This tab tries again by itself ${inTime(delayMs)}.`;
  showBanner(banner, `${error.message} ${text} `, "warn", retry);
}

/** @param {HTMLElement} banner @param {Host} host @param {Date} [since] undefined: another tab of this browser has it */
function showTakenOver(banner, host, since) {
  const take = el("button", { type: "button", class: "link", onclick: () => host.takeOver() }, "Take it back");
  const text = since
    ? `Another browser or program took this session over at ${clockTime(since)}. It answers the calls now; this tab gets none. `
    : "This session is open in another tab of this browser, which answers the calls. ";
  showBanner(banner, text, "warn", take);
}
