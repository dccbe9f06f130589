/** The switch that encrypts new sessions, and the stored keys of joined sessions. */

import { plainCode } from "../../client/session/invite.js";
import { canEncrypt } from "../../waypost.js";
import { byId } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";

const WISH = "waypost.encrypt";

/** Restores the switch's last position. */
export function restoreSwitch() {
  const box = /** @type {HTMLInputElement} */ (byId("encrypt"));
  box.checked = canEncrypt() && recall("localStorage", WISH) === "yes";
  box.disabled = !canEncrypt();
  if (box.disabled) byId("encrypt-help").textContent = "Not available here: browsers allow encryption over HTTPS and on localhost only.";
  box.addEventListener("change", () => keep("localStorage", WISH, box.checked ? "yes" : "no"));
}

/** Whether the next session is to be encrypted. */
export function wantsEncryption() {
  return /** @type {HTMLInputElement} */ (byId("encrypt")).checked;
}

/** Stores the key of a joined session, for a reload of this tab. @param {string} code @param {string} key */
export function keepKey(code, key) {
  keep("sessionStorage", `waypost.key.${plainCode(code)}`, key);
}

/** The stored key of a joined session. @param {string} code */
export function recallKey(code) {
  return recall("sessionStorage", `waypost.key.${plainCode(code)}`) ?? undefined;
}
