/** What the running answer is doing, in a pill beside the message box. */

import { onWaiting } from "../approval/waiting-calls.js";
import { byId, showPill } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

/** @typedef {import("../../waypost.js").ChatEvent} ChatEvent */

export class AnswerState {
  #pill = byId("chat-state");
  #isWaiting;
  /** "" while nothing is running. */
  #text = "";
  /** The names of the tools that are being called, by the ids of the calls. @type {Map<string, string>} */
  #calls = new Map();

  /** @param {() => boolean} isWaiting whether a tool call of the answer waits for the person at this tab */
  constructor(isWaiting) {
    this.#isWaiting = isWaiting;
    onWaiting(() => this.#text && this.#show("busy"));
  }

  /** @param {ChatEvent} event of the running answer */
  show(event) {
    if (event.type === "tool_call") this.#calls.set(event.id, plain(event.name));
    if (event.type === "tool_result") this.#calls.delete(event.id);
    const called = [...this.#calls.values()].at(-1);
    if (event.type === "waiting") this.#text = "Reconnecting";
    else if (event.type === "reasoning") this.#text = "Thinking";
    else this.#text = called ? `Calling ${called}` : "Answering";
    this.#show(event.type === "waiting" ? "warn" : "busy");
  }

  hide() {
    this.#text = "";
    this.#calls.clear();
    this.#pill.hidden = true;
  }

  /** @param {"busy" | "warn"} kind */
  #show(kind) {
    if (this.#isWaiting()) showPill(this.#pill, "Waiting for you", "warn");
    else showPill(this.#pill, this.#text, kind);
  }
}
