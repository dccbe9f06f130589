/** A thread in the list: a link to it, and what can be done with it. */

import { el } from "../shared/dom.js";
import { age } from "../shared/format.js";
import { addressOf, titleOf } from "./titles.js";

/** The most characters of a title that the server takes. */
const MAX_TITLE_LENGTH = 120;

/** @typedef {import("../../waypost.js").Thread} Thread */

/**
 * @typedef {object} RowEvents
 * @property {() => void} toggle the actions are to be shown, or hidden
 * @property {() => void} edit
 * @property {() => void} archive
 * @property {() => void} remove
 */

/**
 * The row. What takes the focus has a `data-key`, by which it is found again in the next drawing.
 * @param {Thread} thread
 * @param {{ isCurrent: boolean, isExpanded: boolean, origin: string, isFoundInArchive: boolean }} state `origin`: the title of the thread it was forked from
 * @param {RowEvents} events
 */
export function threadRow(thread, { isCurrent, isExpanded, origin, isFoundInArchive }, events) {
  const { threadId, updatedAt, archived } = thread;
  const title = titleOf(thread);
  const id = `actions-${threadId}`;
  const link = el(
    "a",
    { class: "thread", href: addressOf(threadId), "aria-current": isCurrent && "true", "data-key": `open ${threadId}` },
    el("span", { class: "thread-title", dir: "auto" }, title),
    el("span", { class: "thread-note" }, age(new Date(updatedAt)), isFoundInArchive && ", archived", origin && `, fork of ${origin}`),
  );
  link.addEventListener("keydown", (event) => {
    // As in file managers.
    if (event.key === "F2") events.edit();
  });
  const more = el(
    "button",
    {
      type: "button",
      class: "quiet thread-more",
      "aria-label": `Actions for ${title}`,
      "aria-expanded": `${isExpanded}`,
      "aria-controls": id,
      "data-key": `more ${threadId}`,
      onclick: events.toggle,
    },
    el("span", { class: "dots" }),
  );
  const row = el("li", { class: "thread-row" }, link, more);
  if (!isExpanded) return row;
  /** @type {[string, () => void][]} */
  const actions = [["Rename", events.edit], [archived ? "Unarchive" : "Archive", events.archive], ["Delete", events.remove]];
  const buttons = actions.map(([name, onclick]) =>
    el("button", { type: "button", class: "quiet", onclick, "aria-label": `${name} ${title}`, "data-key": `${name} ${threadId}` }, name),
  );
  const group = el("div", { class: "thread-actions", id, role: "group", "aria-label": `Actions for ${title}` }, ...buttons);
  group.addEventListener("keydown", (event) => {
    if (event.key === "Escape") events.toggle();
  });
  row.append(group);
  return row;
}

/** The row while the thread is renamed. @param {Thread} thread @param {(title: string | null) => void} rename as of `renameForm` */
export function renameRow(thread, rename) {
  const { form, input } = renameForm(thread, rename);
  return { row: el("li", { class: "thread-row" }, form), input };
}

/**
 * A form with the thread's name: Enter saves it, Escape keeps the old one.
 * @param {Thread} thread
 * @param {(title: string | null) => void} rename called with the new name; null: the old one
 */
export function renameForm(thread, rename) {
  const title = titleOf(thread);
  const input = el("input", { "aria-label": `New name of ${title}`, maxlength: MAX_TITLE_LENGTH, autocomplete: "off", dir: "auto", enterkeyhint: "done" });
  input.value = title === thread.threadId ? "" : title.slice(0, MAX_TITLE_LENGTH);
  input.placeholder = "Name of its first message";
  const cancel = el("button", { type: "button", class: "quiet", onclick: () => rename(null) }, "Cancel");
  const form = el("form", { class: "thread-rename" }, input, el("button", {}, "Save name"), cancel);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    rename(input.value.replace(/\p{Cc}+|[\u2028\u2029]+/gu, " ").trim());
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") rename(null);
  });
  return { form, input };
}
