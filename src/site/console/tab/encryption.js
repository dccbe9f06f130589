/** Whether this tab's sessions are encrypted, as the switch says, and the keys of those that it has joined. */

import { plainCode } from "../../client/session/invite.js";
import { canEncrypt } from "../../waypost.js";
import { byId } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";

const WISH = "waypost.encrypt";

/** Take the switch up as it was left. */
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

/** Keep the key of a session that was joined, for a reload of this tab. @param {string} code @param {string} key */
export function keepKey(code, key) {
  keep("sessionStorage", `waypost.key.${plainCode(code)}`, key);
}

/** The key that was kept. @param {string} code */
export function recallKey(code) {
  return recall("sessionStorage", `waypost.key.${plainCode(code)}`) ?? undefined;
}
