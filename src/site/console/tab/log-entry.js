/** One entry of the log on the page: a row that opens to the request, the progress and the answer. */

import { copies, el, showPill } from "../shared/dom.js";
import { clockTime, duration, inline, pretty } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { valueView } from "../shared/value-view.js";

/** @typedef {import("./call-log.js").Entry} Entry */
/** @typedef {import("./call-log.js").Part} Part */

/** @type {Record<Entry["state"], [text: string, kind: "good" | "busy" | "warn" | "bad"]>} */
const STATES = {
  running: ["Running", "busy"],
  answered: ["Answered", "good"],
  failed: ["Failed", "bad"],
  refused: ["Refused by the person", "warn"],
  cancelled: ["Cancelled", "warn"],
  interrupted: ["Interrupted", "warn"],
  note: ["Note", "bad"],
};

/** What the person can do with an entry. @typedef {{ pin: (entry: Entry) => void, repeat: (entry: Entry) => void }} Actions */

export class LogEntry {
  #entry;
  #pill = el("span", { class: "pill" });
  #took = el("span", { class: "took" });
  #parts = el("ol", { class: "parts" });
  #pin = el("button", { type: "button", class: "quiet" }, "Pin");
  /** The newest part that is drawn. @type {Part | undefined} */
  #newest;

  /** @param {Entry} entry @param {Actions} actions */
  constructor(entry, { pin, repeat }) {
    this.#entry = entry;
    const { id, name, args, at, state, isCut } = entry;
    const summary = el(
      "summary",
      {},
      el("time", {}, clockTime(new Date(at))),
      el("b", {}, plain(name)),
      el("span", { class: "payload" }, plain(inline(args))),
      this.#took,
      this.#pill,
    );
    this.#pin.addEventListener("click", () => pin(entry));
    const again = el("button", { type: "button", class: "quiet", onclick: () => repeat(entry) }, "Call again");
    const actions = el("p", { class: "entry-actions" }, this.#pin, state === "note" || isCut ? null : again, el("span", { class: "hint" }, id && `id ${id}`));
    this.element = el("li", { class: "entry" }, el("details", {}, summary, this.#parts, actions));
    this.draw();
  }

  /** Shows what has happened since. */
  draw() {
    const { state, durationMs, isPinned, parts } = this.#entry;
    showPill(this.#pill, ...STATES[state]);
    this.#took.textContent = durationMs === undefined ? "" : duration(durationMs);
    this.element.dataset.state = state;
    this.element.toggleAttribute("data-pinned", isPinned);
    this.#pin.textContent = isPinned ? "Unpin" : "Pin";
    this.#pin.setAttribute("aria-pressed", `${isPinned}`);
    if (parts.at(-1) === this.#newest) return;
    // Parts in the middle may have been left out: then all are drawn.
    if (parts.at(-2) === this.#newest && this.#parts.childElementCount === parts.length - 1) this.#parts.append(partLine(parts[parts.length - 1]));
    else this.#parts.replaceChildren(...parts.map(partLine));
    this.#newest = parts.at(-1);
  }
}

/** @param {Part} part */
function partLine({ direction, value, at, flags, durationMs }) {
  const title = titleOf(direction, flags);
  const copy = el("button", { type: "button", class: "quiet", "aria-label": `Copy: ${title}` }, "Copy");
  copies(copy, () => (typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? ""));
  const marks = flags.map((word) => el("span", { class: "flag", "data-flag": word }, word));
  if (durationMs !== undefined) marks.push(el("span", { class: "flag", "data-flag": "took" }, duration(durationMs)));
  return el(
    "li",
    { class: "line", "data-direction": direction },
    el("p", { class: "line-head" }, el("b", {}, title), el("time", {}, clockTime(new Date(at))), el("span", { class: "flags" }, ...marks), copy),
    valueView(value === undefined ? pretty(value) : value, title),
  );
}

/** @param {Part["direction"]} direction @param {string[]} flags */
function titleOf(direction, flags) {
  if (direction === "note") return "What happened";
  if (direction === "in") return flags.includes("cancelled") ? "Cancellation" : "Request";
  return flags.includes("progress") ? "Progress" : "Answer";
}
