/** One message of a thread on the page. */

import { el } from "../shared/dom.js";
import { clockTime, pretty } from "../shared/format.js";
import { AnswerBody } from "./answer-body.js";
import { contentText } from "./content.js";

/** @typedef {import("../../waypost.js").ChatMessage} ChatMessage */
/** @typedef {import("../../client/chat/answer-parts.js").AnswerPart} AnswerPart */

const NAMES = { user: "You", assistant: "Assistant", system: "System", tool: "Tool" };

/** What can be done with a message. @typedef {{ fork: (messageId: string) => void, remove: (messageId: string) => void, goOn: (messageId: string) => void }} MessageActions */

export class Message {
  id;
  role;
  /** As it was sent, or as the history has it. @type {unknown} */
  content;
  #body;
  #fault = el("p", { class: "pill", "data-kind": "warn", hidden: true });
  #goOn;
  /** Whether the text is from before a restart of the answer: the next text replaces it. */
  #isStale = false;
  /** Whether this page received it to its end. */
  #isHeard = false;
  isGrowing = false;
  /** Whether it is newer than every history read so far. */
  isFresh = true;

  /** @param {ChatMessage} message @param {MessageActions} actions */
  constructor(message, actions) {
    const { id, role, timestamp } = message;
    this.id = id;
    this.role = role;
    // A model writes Markdown; a person, what they see in the box. What is shown as JSON is neither.
    this.#body = new AnswerBody(role === "assistant" && typeof message.content === "string" && !message.toolCalls?.length);
    const name = NAMES[role] ?? role;
    const sentAt = clockTime(new Date(timestamp));
    /** @param {string} text @param {string} label @param {() => void} onclick */
    const button = (text, label, onclick) =>
      el("button", { type: "button", class: "quiet", onclick, "aria-label": `${label}: ${name}, ${sentAt}` }, text);
    const fork = button("Fork from here", "Fork from this message", () => actions.fork(id));
    const remove = button("Delete", "Delete this message", () => actions.remove(id));
    this.#goOn = el("button", { type: "button", class: "go-on", hidden: true, onclick: () => actions.goOn(id) }, "Go on with this answer");
    const head = el("p", { class: "message-head" }, el("b", {}, name), el("time", {}, sentAt), fork, remove);
    this.element = el("li", { class: "message", "data-role": role, "data-id": id }, head, this.#body.element, this.#fault, this.#goOn);
    this.update(message);
  }

  /** Whether a tool call of it waits for the person at this tab. */
  get isWaiting() {
    return this.#body.isWaiting;
  }

  /** @param {ChatMessage} message as the history has it */
  update({ content, partial, reasoning = "", toolCalls = [], toolEvents = [] }) {
    // This page may be ahead of the history, which other locations see late.
    if (this.isGrowing || (this.#isHeard && partial)) return;
    this.content = content;
    const calls = toolCalls.map(({ name, args }) => `${name}(${pretty(args)})`);
    this.#body.show({ content: [contentText(content), ...calls].filter(Boolean).join("\n"), reasoning, toolEvents });
    this.#body.end();
    // What a person stopped has a result for each call.
    this.#mark(partial ? "Incomplete" : null, this.#body.isCutOff);
  }

  begin() {
    this.isGrowing = true;
    this.#isHeard = false;
    this.#isStale = true;
    this.#fault.hidden = this.#goOn.hidden = true;
    // Makes a screen reader wait for the whole answer instead of reading single words.
    this.element.setAttribute("aria-busy", "true");
  }

  /** @param {AnswerPart} part */
  grow(part) {
    if (this.#isStale) this.#body.clear();
    this.#isStale = false;
    this.#body.grow(part);
  }

  /** It is no longer shown. */
  leave() {
    this.#body.clear();
  }

  /** Shows which tool calls wait for the person. */
  look() {
    this.#body.look();
  }

  /** @param {string | null} fault @param {"error" | "broken off" | null} [failure] */
  finish(fault, failure = null) {
    this.isGrowing = false;
    this.#isHeard = true;
    this.#body.end();
    this.element.removeAttribute("aria-busy");
    // Asking again makes these go on: an answer whose isolate is gone, and one that failed after calls of tools.
    const goesOn = failure === "broken off" || (failure === "error" && this.#body.usesTools);
    this.#mark(fault, goesOn || this.#body.isCutOff);
  }

  /** @param {string | null} fault @param {boolean} goesOn */
  #mark(fault, goesOn) {
    this.#goOn.hidden = fault === null || !goesOn;
    this.element.toggleAttribute("data-partial", fault !== null);
    this.#fault.hidden = fault === null;
    this.#fault.textContent = fault;
  }
}
