/** `add_note`: a note on the board. */

import { byId, el } from "../shared/dom.js";
import { clockTime } from "../shared/format.js";
import { keep, recall } from "../shared/storage.js";

const KEY = "waypost.board";
const MAX_NOTES = 24;
const KINDS = ["idea", "todo", "warning"];

/** @typedef {{ id: string, text: string, kind: string, tags: string[], pinned: boolean, at: string }} Note */

/** @type {Note[]} */
let notes = JSON.parse(recall("sessionStorage", KEY) ?? "[]");

function draw() {
  const sorted = [...notes].sort((a, b) => Number(b.pinned) - Number(a.pinned));
  byId("board").replaceChildren(...sorted.map(card));
  byId("board-empty").hidden = notes.length > 0;
}

/** @param {Note} note */
function card(note) {
  return el(
    "li",
    { class: "note", "data-kind": note.kind },
    el("p", {}, note.text),
    el(
      "p",
      { class: "note-foot" },
      el("span", {}, `${note.pinned ? "pinned · " : ""}${note.kind} · ${note.at}`),
      ...note.tags.map((tag) => el("span", { class: "tag" }, tag)),
    ),
  );
}

draw();

export const noteTool = {
  definition: {
    name: "add_note",
    title: "Put a note on the board",
    description: "Put a note on the board of this page.",
    inputSchema: {
      type: "object",
      properties: {
        text: { type: "string", minLength: 1, maxLength: 400, description: "The text of the note" },
        kind: { type: "string", enum: KINDS, default: "idea" },
        tags: { type: "array", items: { type: "string" }, maxItems: 5, description: "Short words" },
        pinned: { type: "boolean", default: false, description: "Keep the note at the top of the board" },
      },
      required: ["text"],
      additionalProperties: false,
    },
    annotations: { destructiveHint: false },
  },

  /**
   * @param {{ text: string, kind?: string, tags?: string[], pinned?: boolean }} args
   * @param {{ id: string }} context
   */
  handler({ text, kind = "idea", tags = [], pinned = false }, { id }) {
    if (typeof text !== "string" || text === "") throw new TypeError("text must be a non-empty string.");
    if (!KINDS.includes(kind)) throw new RangeError(`kind must be one of ${KINDS.join(", ")}.`);
    if (!Array.isArray(tags)) throw new TypeError("tags must be a list.");
    // The request's id names the note: begun before a reload and begun again, it is still one note.
    notes = notes.filter((note) => note.id !== id);
    const shown = tags.slice(0, 5).map((tag) => `${tag}`.slice(0, 40));
    notes.unshift({ id, text: text.slice(0, 400), kind, tags: shown, pinned: Boolean(pinned), at: clockTime(new Date()) });
    notes.length = Math.min(notes.length, MAX_NOTES);
    keep("sessionStorage", KEY, JSON.stringify(notes));
    draw();
    return { notes: notes.length };
  },
};
