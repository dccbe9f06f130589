/** Asks for confirmation before something is deleted. */

import { byId } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

/**
 * @param {string} question
 * @param {string} consequence
 * @param {string} yes the label of the confirming button
 * @returns {Promise<boolean>}
 */
export function confirmed(question, consequence, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
  byId("confirm-title").textContent = plain(question);
  byId("confirm-text").textContent = consequence;
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
