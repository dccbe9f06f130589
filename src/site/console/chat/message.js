/** One message of a thread on the page. */

import { copyBy } from "../shared/copy-text.js";
import { el } from "../shared/dom.js";
import { clockTime, pretty } from "../shared/format.js";
import { AnswerBody } from "./answer-body.js";
import { contentText } from "./content.js";
import { messageActions } from "./message-actions.js";
import { messageEditor } from "./message-editor.js";

/** @typedef {import("../../waypost.js").ChatMessage} ChatMessage */
/** @typedef {import("../../client/chat/answer-parts.js").AnswerPart} AnswerPart */

const NAMES = { user: "You", assistant: "Assistant", system: "System", tool: "Tool" };

/** @typedef {import("./message-actions.js").MessageActions} MessageActions */

export class Message {
  id;
  role;
  /** As it was sent, or as the history has it. @type {unknown} */
  content;
  #body;
  #fault = el("p", { class: "pill", "data-kind": "warn", hidden: true });
  #goOn;
  #actions;
  /** The answers that this one has replaced while the page was open. */
  #earlier = el("div", { class: "earlier-answers" });
  /** While it is edited. @type {HTMLFormElement | null} */
  #editor = null;
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
    this.#actions = actions;
    const edit = role === "user" && typeof message.content === "string" ? () => this.#edit() : null;
    const { row, more } = messageActions({ id, role, name: `${name}, ${sentAt}` }, actions, { text: () => this.#body.text, edit });
    this.#goOn = el("button", { type: "button", class: "go-on", hidden: true, onclick: () => actions.goOn(id) }, "Go on with this answer");
    const head = el("p", { class: "message-head" }, el("b", {}, name), el("time", {}, sentAt), more);
    this.element = el("li", { class: "message", "data-role": role, "data-id": id }, head, this.#body.element, this.#fault, this.#goOn, this.#earlier, row);
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
    this.#mark(partial ? "Incomplete" : null, false);
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

  /** Keeps the answer that this one replaces, folded up. @param {Message} replaced */
  keep(replaced) {
    const body = replaced.#body;
    const copy = el("button", { type: "button", class: "quiet" }, "Copy earlier answer");
    copy.addEventListener("click", () => copyBy(copy, body.text));
    const fold = el("details", { class: "earlier-answer" }, el("summary", {}, "Earlier answer"), body.element, copy);
    this.#earlier.append(...replaced.#earlier.childNodes, fold);
  }

  /** Its question, as it is asked now. @param {string} text */
  reword(text) {
    this.content = text;
    this.#body.show({ content: text, reasoning: "", toolEvents: [] });
    this.#body.end();
  }

  #edit() {
    if (this.#editor) return;
    const { form, box } = messageEditor(this.#body.text, this.#actions.hint(this.id), (text) => {
      form.remove();
      this.#editor = null;
      this.#body.element.hidden = false;
      this.element.removeAttribute("data-editing");
      const edit = this.element.querySelector(".message-actions .edit");
      if (edit instanceof HTMLElement) edit.focus({ preventScroll: true });
      if (text !== null && text !== this.content) this.#actions.edit(this.id, text);
    });
    this.#editor = form;
    this.#body.element.hidden = true;
    this.#body.element.before(form);
    this.element.toggleAttribute("data-editing", true);
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
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
    this.#mark(fault, failure === "broken off");
  }

  /** @param {string | null} fault @param {boolean} isBrokenOff its isolate is gone */
  #mark(fault, isBrokenOff) {
    // Asking again makes these go on; of an answer with calls, from its last one, however it ended.
    const goesOn = isBrokenOff || this.#body.usesTools;
    this.#goOn.hidden = fault === null || !goesOn;
    this.element.toggleAttribute("data-partial", fault !== null);
    this.#fault.hidden = fault === null;
    this.#fault.textContent = fault;
  }
}
