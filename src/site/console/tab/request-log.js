/** The log of this tab on the page: its calls, newest first, filtered, and kept over a reload. */

import { byId } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";
import { CallLog, contains, isFault } from "./call-log.js";
import { LogEntry } from "./log-entry.js";

const KEY = "waypost.log";

/** @typedef {import("./call-log.js").Entry} Entry */

export class RequestLog {
  #log = new CallLog();
  /** @type {Map<Entry, LogEntry>} */
  #shown = new Map();
  /** Calls of the present session. */
  #calls = 0;
  /** Called with a call that the person wants to make again. @type {(tool: string, args: any) => void} */
  onRepeat = () => {};

  constructor() {
    byId("traffic-clear").addEventListener("click", () => {
      this.#log.clear();
      this.#draw();
    });
    this.#filter.addEventListener("input", () => this.#draw());
    this.#faults.addEventListener("change", () => this.#draw());
    addEventListener("pagehide", () => keep("sessionStorage", KEY, JSON.stringify({ calls: this.#calls, entries: this.#log })));
    const kept = parsed(recall("sessionStorage", KEY));
    this.#calls = Number(kept.calls) || 0;
    this.#log.restore(kept.entries);
    this.#draw();
  }

  get #filter() {
    return /** @type {HTMLInputElement} */ (byId("traffic-filter"));
  }

  get #faults() {
    return /** @type {HTMLInputElement} */ (byId("traffic-faults"));
  }

  /** How the present session was used: how many calls came, and how many of them are open. */
  get use() {
    return { calls: this.#calls, open: this.#log.open };
  }

  /**
   * Logs the events of `host`, whose session is the present one from now on.
   * @param {import("../../waypost.js").Host} host
   * @param {{ isRestored: boolean }} options after a reload, before which calls may have come
   */
  follow(host, { isRestored }) {
    if (!isRestored) this.#calls = 0;
    // What was encrypted on its way is not written down.
    this.#log.keepsNew = host.session.key === undefined;
    /** @type {Set<string>} */
    const ids = new Set();
    host.on("state", ({ state }) => {
      if (state !== "ended") return;
      this.#log.interrupt(ids);
      for (const row of this.#shown.values()) row.draw();
      this.#draw();
    });
    host.on("request", (request) => {
      this.#calls++;
      ids.add(request.id);
      this.#show(this.#log.request(request));
    });
    host.on("response", (response) => this.#show(this.#log.response(response)));
    host.on("cancel", ({ id }) => this.#show(this.#log.cancel(id)));
    host.on("gap", (gap) => this.#show(this.#log.note("gap", gap, "messages missed")));
    host.on("error", ({ error }) => {
      const text = error instanceof Error ? error.message : String(error);
      this.#show(this.#log.note("problem", text, "error"));
    });
  }

  /** An entry has changed, or is new. @param {Entry} entry */
  #show(entry) {
    this.#shown.get(entry)?.draw();
    this.#draw();
  }

  #draw() {
    const all = this.#log.entries;
    const text = this.#filter.value;
    const wanted = all.filter((entry) => (!this.#faults.checked || isFault(entry)) && (text.trim() === "" || contains(entry, text)));
    for (const entry of this.#shown.keys()) if (!all.includes(entry)) this.#shown.delete(entry);
    const rows = wanted.map((entry) => this.#row(entry));
    arrange(byId("log"), rows);
    byId("traffic-empty").hidden = all.length > 0;
    byId("traffic-tools").hidden = all.length === 0;
    byId("traffic-none").hidden = all.length === 0 || rows.length > 0;
    byId("traffic-count").textContent = counted(all.filter(({ state }) => state !== "note").length, this.#log.open);
  }

  /** @param {Entry} entry */
  #row(entry) {
    const known = this.#shown.get(entry);
    if (known) return known.element;
    const made = new LogEntry(entry, {
      pin: (one) => {
        one.isPinned = !one.isPinned;
        this.#show(one);
      },
      repeat: ({ name, args }) => this.onRepeat(name, args),
    });
    this.#shown.set(entry, made);
    return made.element;
  }
}

/** Makes `rows` the children of `list`, and moves no row that is in its place: what has the focus keeps it. @param {HTMLElement} list @param {HTMLElement[]} rows */
function arrange(list, rows) {
  rows.forEach((row, at) => {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
  while (list.childElementCount > rows.length) list.lastElementChild?.remove();
}

/** @param {number} calls @param {number} open */
function counted(calls, open) {
  if (calls === 0) return "Nothing yet";
  const all = calls === 1 ? "1 call" : `${calls} calls`;
  return open === 0 ? all : `${all}, ${open} running`;
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return JSON.parse(text ?? "{}") ?? {};
  } catch {
    return {};
  }
}
