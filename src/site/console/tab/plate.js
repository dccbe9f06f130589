/** The session's plate: its code, the QR code of its link, and what can be copied of it. */

import { byId, copies } from "../shared/dom.js";
import { codeParts } from "../shared/format.js";
import { networkLink } from "./network.js";
import { qrCode } from "./qr.js";

/** @typedef {import("../../waypost.js").Session} Session */

const BUTTONS = ["copy-link", "copy-code", "end"];

/** What the page says where nothing better is known. */
const ONLY_HERE = [...byId("qr-hint").childNodes];

export class Plate {
  /** @type {Session | null} */
  #shown = null;

  /** @param {() => Session | null} session the one that is shown, while it is open */
  constructor(session) {
    copies(byId("copy-code"), () => codeParts(session()?.code ?? "").join(""));
    copies(byId("copy-link"), () => session()?.link ?? "");
  }

  /** @param {Session} session */
  show(session) {
    const { code, link, key } = session;
    this.#shown = session;
    const isEncrypted = key !== undefined;
    byId("plate").dataset.state = "open";
    const shown = byId("code");
    // The code of an encrypted session opens nothing without the key.
    const parts = isEncrypted ? ["Link only"] : codeParts(code).flatMap((part) => [part, document.createElement("wbr")]);
    shown.replaceChildren(...parts);
    shown.classList.toggle("long", isEncrypted || code.length > 8);
    if (isEncrypted) shown.removeAttribute("aria-label");
    else shown.setAttribute("aria-label", [...code].join(" "));
    const qr = byId("qr");
    qr.hidden = false;
    showQr(link);
    qr.classList.toggle("dense", isEncrypted);
    networkLink(session).then((reachable) => {
      if (session !== this.#shown) return;
      const host = reachable && new URL(reachable).host;
      byId("qr-hint").replaceChildren(...(host ? [`Phones in your network can scan this: it opens ${host}`] : ONLY_HERE));
      if (reachable) showQr(reachable);
    });
    byId("tab-lock").hidden = !isEncrypted;
    byId("tab-open").hidden = isEncrypted;
    byId("copy-code").hidden = isEncrypted;
    for (const id of BUTTONS) byId(id).removeAttribute("disabled");
    byId("renew").classList.remove("primary");
  }

  /** The session is over: nothing of it can be used any more. */
  showEnd() {
    this.#shown = null;
    byId("plate").dataset.state = "over";
    byId("qr").hidden = true;
    for (const id of BUTTONS) byId(id).setAttribute("disabled", "");
    byId("renew").classList.add("primary");
  }
}

/** @param {string} link */
function showQr(link) {
  byId("qr").setAttribute("href", link);
  byId("qr").replaceChildren(qrCode(link, "QR code of the link for the agent"));
}
