/** The messages of a thread on the page: synchronised with the history, and growing while an answer streams. */

import { byId, el } from "../shared/dom.js";
import { clockTime, pretty } from "../shared/format.js";

/** @typedef {import("../../waypost.js").ChatMessage} ChatMessage */

/** If the view is nearer to the end than this, it scrolls with the answer. */
const FOLLOW_PX = 60;

const NAMES = { user: "You", assistant: "Assistant", system: "System", tool: "Tool" };

export class Messages {
  #list = byId("messages");
  #scroll = byId("talk");
  #fork;
  /** @type {Map<string, Message>} */
  #shown = new Map();
  /** Whether the view stays at the end. */
  #follows = true;
  #scrolledTo = 0;
  #isKnown = true;

  /** @param {(messageId: string) => void} fork */
  constructor(fork) {
    this.#fork = fork;
    this.#scroll.addEventListener("scroll", () => this.#heed());
    // A banner or a growing box takes room from the messages.
    new ResizeObserver(() => this.#settle()).observe(this.#scroll);
  }

  /** @param {string} id */
  has(id) {
    return this.#shown.has(id);
  }

  get isEmpty() {
    return this.#shown.size === 0;
  }

  /** @param {boolean} isKnown whether there is no history to load */
  clear(isKnown) {
    this.#isKnown = isKnown;
    this.#shown.clear();
    this.#list.replaceChildren();
    this.#follows = true;
    this.#summarize();
  }

  /**
   * Shows the history. Other messages on the page are either older, and no longer stored, or too new to be in it.
   * @param {ChatMessage[]} history
   */
  show(history) {
    this.#isKnown = true;
    const known = history.map((message) => this.#get(message));
    const others = [...this.#shown.values()].filter((message) => !known.includes(message));
    const fresh = others.filter(({ isFresh }) => isFresh);
    const forgotten = others.filter(({ isFresh }) => !isFresh);
    for (const message of known) message.isFresh &&= message.isGrowing;
    [...forgotten, ...known, ...fresh].forEach(({ element }, at) => {
      element.classList.toggle("forgotten", at < forgotten.length);
      if (this.#list.children[at] !== element) this.#list.insertBefore(element, this.#list.children[at] ?? null);
    });
    this.#settle();
  }

  /** Adds a message sent from this page, which the server may not have yet. @param {string} id @param {string} text */
  add(id, text) {
    this.#get({ id, role: "user", content: text, timestamp: new Date().toISOString() });
    this.#follows = true;
    this.#settle();
  }

  /** @param {string} id */
  remove(id) {
    this.#shown.get(id)?.element.remove();
    this.#shown.delete(id);
    this.#summarize();
  }

  /** Starts an answer, or restarts it from its beginning. @param {string} id */
  begin(id) {
    this.#get({ id, role: "assistant", content: "", timestamp: new Date().toISOString() }).begin();
    this.#settle();
  }

  /** @param {string} id @param {string} text */
  append(id, text) {
    this.#shown.get(id)?.append(text);
    this.#settle();
  }

  /** @param {string} id @param {string} text */
  think(id, text) {
    this.#shown.get(id)?.think(text);
    this.#settle();
  }

  /** Ends an answer. @param {string} id @param {string | null} fault why it is incomplete; null if it is complete */
  finish(id, fault) {
    this.#shown.get(id)?.finish(fault);
    this.#settle();
  }

  /** @param {ChatMessage} message */
  #get(message) {
    const known = this.#shown.get(message.id);
    if (known) {
      known.update(message);
      return known;
    }
    const made = new Message(message, () => this.#fork(message.id));
    this.#shown.set(message.id, made);
    this.#list.append(made.element);
    return made;
  }

  /** Scrolling up stops following; scrolling back to the end resumes it. */
  #heed() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    if (scrollHeight - scrollTop - clientHeight < FOLLOW_PX) this.#follows = true;
    else if (scrollTop < this.#scrolledTo) this.#follows = false;
    this.#scrolledTo = scrollTop;
  }

  #settle() {
    if (this.#follows) this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#summarize();
  }

  #summarize() {
    byId("talk-empty").hidden = !this.#isKnown || !this.isEmpty;
  }
}

/** One message on the page. */
class Message {
  #text = el("p", { class: "message-text", dir: "auto" });
  #reasoning = el("p", { class: "reasoning-text", dir: "auto" });
  #thought = el("details", { class: "reasoning", hidden: true }, el("summary", {}, "Reasoning"), this.#reasoning);
  #fault = el("p", { class: "pill", "data-kind": "warn", hidden: true });
  /** Whether the text is from before a restart of the answer: the next text replaces it. */
  #isStale = false;
  /** Whether this page received it to its end. */
  #isHeard = false;
  isGrowing = false;
  /** Whether it is newer than every history read so far. */
  isFresh = true;

  /** @param {ChatMessage} message @param {() => void} fork */
  constructor(message, fork) {
    const { id, role, timestamp } = message;
    const name = NAMES[role] ?? role;
    const sentAt = clockTime(new Date(timestamp));
    const button = el("button", { type: "button", class: "quiet", onclick: fork }, "Fork from here");
    button.setAttribute("aria-label", `Fork from this message: ${name}, ${sentAt}`);
    const head = el("p", { class: "message-head" }, el("b", {}, name), el("time", {}, sentAt), button);
    this.element = el("li", { class: "message", "data-role": role, "data-id": id }, head, this.#thought, this.#text, this.#fault);
    this.update(message);
  }

  /** @param {ChatMessage} message as the history has it */
  update({ content, partial, reasoning = "", toolCalls = [] }) {
    // This page may be ahead of the history, which other locations see late.
    if (this.isGrowing || (this.#isHeard && partial)) return;
    const calls = toolCalls.map(({ name, args }) => `${name}(${pretty(args)})`);
    const text = [typeof content === "string" ? content : pretty(content), ...calls].filter(Boolean).join("\n");
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (this.#reasoning.textContent !== reasoning) this.#reasoning.textContent = reasoning;
    this.#thought.hidden = reasoning === "";
    this.#mark(partial ? "Incomplete" : null);
  }

  begin() {
    this.isGrowing = true;
    this.#isHeard = false;
    this.#isStale = true;
    this.#fault.hidden = true;
    // Makes a screen reader wait for the whole answer instead of reading single words.
    this.element.setAttribute("aria-busy", "true");
  }

  /** @param {string} text */
  append(text) {
    this.#restart();
    this.#text.append(text);
  }

  /** @param {string} text of the reasoning */
  think(text) {
    this.#restart();
    this.#reasoning.append(text);
    this.#thought.hidden = false;
  }

  #restart() {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#text.replaceChildren();
    this.#reasoning.replaceChildren();
    this.#thought.hidden = true;
  }

  /** @param {string | null} fault */
  finish(fault) {
    this.isGrowing = false;
    this.#isHeard = true;
    this.#text.normalize();
    this.#reasoning.normalize();
    this.element.removeAttribute("aria-busy");
    this.#mark(fault);
  }

  /** @param {string | null} fault */
  #mark(fault) {
    this.element.toggleAttribute("data-partial", fault !== null);
    this.#fault.hidden = fault === null;
    this.#fault.textContent = fault;
  }
}
