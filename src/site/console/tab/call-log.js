/** What this tab was asked and what it answered: one entry for each call, with everything that happened to it. */

import { shorten } from "../../client/json.js";

/** Entries kept. */
const MAX_ENTRIES = 200;

/** Parts kept of one entry: a call may report progress for hours. The first ones and the last ones stay. */
const MAX_PARTS = 40;

/** Entries that a reload of the page keeps, and how much of each value: the answers share the browser's storage. */
const MAX_STORED = 50;
const MAX_STORED_CHARS = 4000;

const STATES = /** @type {const} */ (["running", "answered", "failed", "refused", "cancelled", "interrupted", "note"]);

/** @typedef {typeof STATES[number]} CallState */

/**
 * One thing that happened. `flags`: words that say what it was.
 * @typedef {{ direction: "in" | "out" | "note", value: unknown, at: number, flags: string[], durationMs?: number }} Part
 */

/**
 * `id`: the request's; empty for a note, which belongs to no call. `at`: when it began, in Unix milliseconds.
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} name of the tool, or what the note is about
 * @property {unknown} args
 * @property {number} at
 * @property {CallState} state
 * @property {number} [durationMs] how long the handler took
 * @property {boolean} isPinned
 * @property {boolean} isKept over a reload
 * @property {boolean} [isCut] whether the arguments are only shown: a reload has cut them off
 * @property {Part[]} parts oldest first
 */

export class CallLog {
  /** Newest first. @type {Entry[]} */
  #entries = [];
  #now;
  /** Whether a reload keeps the entries that begin now. */
  keepsNew = true;

  /** @param {() => number} [now] */
  constructor(now = Date.now) {
    this.#now = now;
  }

  /** Newest first, the pinned ones before all others. */
  get entries() {
    return [...this.#entries.filter(({ isPinned }) => isPinned), ...this.#entries.filter(({ isPinned }) => !isPinned)];
  }

  /** How many calls run. */
  get open() {
    return this.#entries.filter(({ state }) => state === "running").length;
  }

  /** A call has arrived. @param {import("../../client/host/host-events.js").RequestDetail} request @returns {Entry} */
  request({ id, tool, args, replay, repeat }) {
    const flags = [replay && "replay", repeat && "repeat"].filter((flag) => flag !== false);
    const entry = this.#find(id) ?? this.#begin({ id, name: tool, args, state: "running" });
    // A call that was answered before the page was reloaded, and is not run again, stays answered.
    if (!repeat) entry.state = "running";
    return this.#add(entry, { direction: "in", value: args, flags });
  }

  /** A call reports progress, or has ended. @param {import("../../client/host/host-events.js").ResponseDetail} response @returns {Entry} */
  response({ id, tool = "", result, error, final, durationMs, repeat }) {
    const isRefused = error?.code === "refused";
    const entry = this.#find(id) ?? this.#begin({ id, name: tool, args: undefined, state: "running" });
    if (final) entry.state = isRefused ? "refused" : error ? "failed" : "answered";
    if (durationMs !== undefined) entry.durationMs = durationMs;
    const flags = [!final && "progress", isRefused && "refused", error && !isRefused && "error", repeat && "repeat"];
    return this.#add(entry, { direction: "out", value: error ?? result, flags: flags.filter(isFlag), durationMs });
  }

  /** The guest has cancelled a call. @param {string} id @returns {Entry} */
  cancel(id) {
    const entry = this.#find(id) ?? this.#begin({ id, name: "cancel", args: undefined, state: "cancelled" });
    entry.state = "cancelled";
    return this.#add(entry, { direction: "in", value: { id }, flags: ["cancelled"] });
  }

  /** Something that belongs to no call. @param {string} name @param {unknown} value @param {string} flag @returns {Entry} */
  note(name, value, flag) {
    return this.#add(this.#begin({ id: "", name, args: value, state: "note" }), { direction: "note", value, flags: [flag] });
  }

  /** These calls, if they run, can't end here: their session is over, or the page was reloaded. @param {Iterable<string>} ids */
  interrupt(ids) {
    for (const id of ids) {
      const entry = this.#find(id);
      if (entry?.state === "running") entry.state = "interrupted";
    }
  }

  /** Deletes all entries but the pinned ones and the calls that run. */
  clear() {
    this.#entries = this.#entries.filter(({ isPinned, state }) => isPinned || state === "running");
  }

  /** The newest entries as JSON, with long values cut off. */
  toJSON() {
    return this.entries.filter(({ isKept }) => isKept).slice(0, MAX_STORED).map((entry) => ({
      ...entry,
      args: stored(entry.args),
      isCut: entry.isCut || stored(entry.args) !== entry.args,
      parts: entry.parts.map((part) => ({ ...part, value: stored(part.value) })),
    }));
  }

  /** Takes the entries of an earlier page of this tab. @param {unknown} entries as `toJSON()` made them */
  restore(entries) {
    if (!Array.isArray(entries)) return;
    const known = entries.filter(isEntry).sort((a, b) => b.at - a.at);
    this.#entries.push(...known);
    // What ran then arrives again, or has ended elsewhere.
    this.interrupt(known.map(({ id }) => id));
  }

  /** @param {string} id */
  #find(id) {
    return this.#entries.find((entry) => entry.id === id && id !== "");
  }

  /** @param {Pick<Entry, "id" | "name" | "args" | "state">} entry @returns {Entry} */
  #begin(entry) {
    const begun = { ...entry, at: this.#now(), isPinned: false, isKept: this.keepsNew, parts: [] };
    this.#entries.unshift(begun);
    const isLoose = (/** @type {Entry} */ { isPinned, state }) => !isPinned && state !== "running";
    while (this.#entries.length > MAX_ENTRIES) {
      const oldest = this.#entries.findLastIndex(isLoose);
      this.#entries.splice(oldest < 0 ? this.#entries.length - 1 : oldest, 1);
    }
    return begun;
  }

  /** @param {Entry} entry @param {Omit<Part, "at">} part */
  #add(entry, part) {
    entry.parts.push({ ...part, at: this.#now() });
    if (entry.parts.length > MAX_PARTS) entry.parts.splice(MAX_PARTS / 2, 1);
    return entry;
  }
}

/** Whether `entry` shows `text` anywhere, in any case. @param {Entry} entry @param {string} text */
export function contains(entry, text) {
  const shown = [entry.name, entry.id, ...entry.parts.flatMap(({ value, flags }) => [JSON.stringify(value) ?? "", ...flags])];
  return shown.join("\n").toLowerCase().includes(text.trim().toLowerCase());
}

/** Whether something went wrong with it. A refusal is a decision. @param {Entry} entry */
export function isFault({ state, parts }) {
  return state === "failed" || parts.some(({ direction, flags }) => direction === "note" && flags.length > 0);
}

/** @param {string | false | undefined} flag @returns {flag is string} */
function isFlag(flag) {
  return typeof flag === "string";
}

/** @param {unknown} value */
function stored(value) {
  const text = JSON.stringify(value) ?? "";
  return text.length <= MAX_STORED_CHARS ? value : `${shorten(text, MAX_STORED_CHARS)}…`;
}

/** Whether this is an entry as this version writes them. @param {any} entry @returns {entry is Entry} */
function isEntry(entry) {
  const isText = typeof entry?.id === "string" && typeof entry.name === "string";
  return isText && typeof entry.at === "number" && STATES.includes(entry.state) && Array.isArray(entry.parts) && entry.parts.every(isPart);
}

/** @param {any} part @returns {part is Part} */
function isPart(part) {
  return ["in", "out", "note"].includes(part?.direction) && typeof part.at === "number" && Array.isArray(part.flags);
}
