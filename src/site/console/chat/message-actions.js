/** What can be done with a message: a row of buttons below it, which on a touch screen another button opens. */

import { copyBy } from "../shared/copy-text.js";
import { el, toast } from "../shared/dom.js";

/**
 * What the page does with a message, by its id.
 * @typedef {object} MessageActions
 * @property {(messageId: string) => void} fork
 * @property {(messageId: string) => void} remove
 * @property {(messageId: string) => void} goOn
 * @property {(messageId: string) => void} again
 * @property {(messageId: string, text: string) => void} edit
 * @property {(messageId: string) => string} hint what sending it does once it is edited
 */

/**
 * The row and the button that opens it.
 * @param {{ id: string, role: string, name: string }} message `name`: who wrote it, and when
 * @param {MessageActions} actions
 * @param {{ text: () => string, edit: (() => void) | null }} own `edit`: null if it can't be edited
 */
export function messageActions({ id, role, name }, actions, { text, edit }) {
  /** @param {string} label @param {string} kind @param {(event: Event) => void} onclick */
  const button = (label, kind, onclick) =>
    el("button", { type: "button", class: `quiet ${kind}`, onclick, "aria-label": `${label}: ${name}` }, label);
  const copy = button("Copy", "copy", () => {
    const copied = text();
    if (copied) copyBy(copy, copied);
    else toast("This message has no text to copy.");
  });
  const row = el("div", { class: "message-actions", id: `actions-of-${id}`, role: "group", "aria-label": `Actions: ${name}` }, copy);
  if (edit) row.append(button("Edit", "edit", edit));
  if (role === "assistant" || role === "user") row.append(button(role === "user" ? "Ask again" : "Try again", "again", () => actions.again(id)));
  row.append(button("Fork from here", "fork", () => actions.fork(id)), button("Delete", "remove", () => actions.remove(id)));
  const more = el("button", { type: "button", class: "quiet message-more", "aria-label": `Actions: ${name}`, "aria-expanded": "false", "aria-controls": row.id }, el("span", { class: "dots" }));
  more.addEventListener("click", () => {
    const isOpen = row.toggleAttribute("data-open");
    more.setAttribute("aria-expanded", `${isOpen}`);
  });
  return { row, more };
}
