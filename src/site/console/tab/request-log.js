/** The log of this tab: incoming requests, outgoing progress and answers. */

import { byId, el } from "../shared/dom.js";
import { clockTime, duration, inline, pretty } from "../shared/format.js";

/** Lines kept on the page. */
const MAX_LINES = 200;

const ARROWS = { in: "→", out: "←", note: "·" };

export class RequestLog {
  #count = { in: 0, out: 0 };

  constructor() {
    byId("traffic-clear").addEventListener("click", () => {
      byId("log").replaceChildren();
      this.#count = { in: 0, out: 0 };
      this.#summarize();
    });
  }

  /**
   * Logs the events of `host`.
   * @param {import("../../waypost.js").Host} host
   */
  follow(host) {
    host.on("request", ({ tool, args, id, replay, repeat }) => {
      const flags = [replay && "replay", repeat && "repeat"];
      this.#line("in", tool, args, id, flags);
    });
    host.on("response", ({ tool = "", id, result, error, final, durationMs, repeat }) => {
      const flags = [!final && "progress", error && "error", repeat && "repeat"];
      this.#line("out", tool, error ?? result, id, flags, durationMs);
    });
    host.on("cancel", ({ id }) => this.#line("in", "cancel", { id }, id, ["cancelled"]));
    host.on("gap", (gap) => this.#line("note", "gap", gap, "", ["messages missed"]));
    host.on("error", ({ error }) => {
      const text = error instanceof Error ? error.message : String(error);
      this.#line("note", "problem", text, "", ["error"]);
    });
  }

  /**
   * @param {"in" | "out" | "note"} direction
   * @param {string} name
   * @param {unknown} value
   * @param {string} id
   * @param {unknown[]} flags words, or nothing
   * @param {number} [durationMs] how long the handler took
   */
  #line(direction, name, value, id, flags, durationMs) {
    const words = /** @type {string[]} */ (flags.filter(Boolean));
    const marks = words.map((word) => el("span", { class: "flag", "data-flag": word }, word));
    if (durationMs !== undefined) marks.push(el("span", { class: "flag", "data-flag": "took" }, duration(durationMs)));
    const label = { in: "Request", out: "Answer", note: "Note" }[direction];
    const line = el(
      "li",
      { class: "line", "data-direction": direction, "data-error": words.includes("error") },
      el(
        "details",
        {},
        el(
          "summary",
          {},
          el("time", {}, clockTime(new Date())),
          el("span", { class: "arrow", "aria-hidden": "true" }, ARROWS[direction]),
          el("span", { class: "sr" }, `${label}: `),
          el("b", {}, name),
          el("span", { class: "payload" }, inline(value)),
          el("span", { class: "flags" }, ...marks),
        ),
        el("pre", {}, pretty(value)),
        id && el("p", { class: "hint" }, `id ${id}`),
      ),
    );
    byId("log").prepend(line);
    while (byId("log").childElementCount > MAX_LINES) byId("log").lastElementChild?.remove();
    if (direction !== "note") this.#count[direction]++;
    this.#summarize();
  }

  #summarize() {
    const isEmpty = byId("log").childElementCount === 0;
    byId("traffic-empty").hidden = !isEmpty;
    byId("traffic-clear").hidden = isEmpty;
    byId("traffic-count").textContent = isEmpty ? "Nothing yet" : `${this.#count.in} in, ${this.#count.out} out`;
  }
}
