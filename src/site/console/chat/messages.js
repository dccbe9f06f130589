/** The messages of a thread on the page: synchronised with the history, and growing while an answer streams. */

import { onWaiting } from "../approval/waiting-calls.js";
import { byId } from "../shared/dom.js";
import { EarlierMessages } from "./earlier-messages.js";
import { Message } from "./message.js";

/** @typedef {import("../../waypost.js").ChatHistory} ChatHistory */
/** @typedef {import("../../waypost.js").ChatMessage} ChatMessage */

/** If the view is nearer to the end than this, it scrolls with the answer. */
const FOLLOW_PX = 60;

export class Messages {
  #list = byId("messages");
  #scroll = byId("talk");
  #actions;
  #earlier;
  /** @type {Map<string, Message>} */
  #shown = new Map();
  /** Ids of deleted messages, which a history may still have. @type {Set<string>} */
  #deleted = new Set();
  /** Whether the view stays at the end. */
  #follows = true;
  #scrolledTo = 0;
  #isKnown = true;

  /**
   * @param {import("./message-actions.js").MessageActions} actions
   * @param {(before: string) => Promise<ChatHistory | null>} load reads earlier messages; null: the thread was left
   */
  constructor(actions, load) {
    this.#actions = actions;
    this.#earlier = new EarlierMessages(load, (page) => this.#prepend(page));
    this.#scroll.addEventListener("scroll", () => this.#heed());
    // Its text may show later than it comes.
    this.#list.addEventListener("grown", () => this.#settle());
    // A banner or a growing box takes room from the messages.
    new ResizeObserver(() => this.#settle()).observe(this.#scroll);
    onWaiting(() => {
      for (const message of this.#shown.values()) message.look();
    });
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
    for (const message of this.#shown.values()) message.leave();
    this.#shown.clear();
    this.#deleted.clear();
    this.#list.replaceChildren();
    this.#earlier.clear();
    this.#follows = true;
    this.#summarize();
  }

  /**
   * Shows the last messages of the history. Of the others on the page, those before them are older: loaded earlier, or no
   * longer stored. Those after them are too new to be in it, or were deleted elsewhere.
   * @param {ChatHistory} page
   */
  show(page) {
    this.#isKnown = true;
    const messages = page.messages.filter(({ id }) => !this.#deleted.has(id));
    const place = messages.findIndex(({ id }) => this.#shown.has(id));
    const joint = place < 0 ? undefined : this.#shown.get(messages[place].id);
    const before = [...this.#list.children];
    const at = (/** @type {Message} */ { element }) => before.indexOf(element);
    const known = messages.map((message) => this.#get(message));
    const others = [...this.#shown.values()].filter((message) => !known.includes(message) && !message.isFresh);
    const older = others.filter((message) => !joint || at(message) < at(joint)).sort((a, b) => at(a) - at(b));
    // Nothing connects what is shown with this page: what lies between is not known.
    const isApart = !joint && page.before !== undefined;
    for (const { id } of others) if (isApart || !older.some((message) => message.id === id)) this.remove(id);
    if (isApart || older.length === 0 || page.before === undefined) this.#earlier.at(page);
    for (const message of known) message.isFresh &&= message.isGrowing;
    const fresh = [...this.#shown.values()].filter((message) => !known.includes(message) && message.isFresh);
    const kept = isApart ? [] : older;
    for (const { element } of kept) element.classList.toggle("forgotten", page.before === undefined);
    for (const { element } of known) element.classList.remove("forgotten");
    [...kept, ...known, ...fresh].forEach(({ element }, index) => {
      if (this.#list.children[index] !== element) this.#list.insertBefore(element, this.#list.children[index] ?? null);
    });
    this.#settle();
  }

  /** Adds earlier messages. What is read stays where it is. @param {ChatHistory} page */
  #prepend({ messages }) {
    const first = this.#list.firstElementChild;
    const top = first?.getBoundingClientRect().top ?? 0;
    const fresh = messages.filter(({ id }) => !this.#deleted.has(id) && !this.#shown.has(id));
    const made = fresh.map((message) => this.#get(message));
    for (const message of made) message.isFresh = false;
    first?.before(...made.map(({ element }) => element));
    if (first) this.#scroll.scrollTop += first.getBoundingClientRect().top - top;
    this.#scrolledTo = this.#scroll.scrollTop;
    return made.map(({ element }) => element);
  }

  /** Deletes a message for good. @param {string} id */
  delete(id) {
    this.#deleted.add(id);
    this.remove(id);
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

  /** @param {string} id @param {import("../../client/chat/answer-parts.js").AnswerPart} part */
  grow(id, part) {
    this.#shown.get(id)?.grow(part);
    this.#settle();
  }

  /** The question of this answer, or this question, if it is a text. @param {string} id */
  questionOf(id) {
    const upTo = this.#order.slice(0, this.#place(id) + 1);
    const question = upTo.findLast(({ role }) => role === "user");
    return question && typeof question.content === "string" ? { id: question.id, text: question.content } : null;
  }

  /** Whether no other question follows this one. @param {string} id */
  isLastQuestion(id) {
    return this.#order.slice(this.#place(id) + 1).every(({ role }) => role !== "user");
  }

  /** The message before this one: its id; "" if there is none, undefined if it is not on the page. @param {string} id */
  before(id) {
    const place = this.#place(id);
    return place > 0 ? this.#order[place - 1].id : this.#earlier.hasMore ? undefined : "";
  }

  /**
   * The answer `id` begins, to the question `questionId` with another text or for another time: what follows the question is
   * gone, and the last answer to it stays folded up in the new one.
   * @param {string} questionId @param {string} text @param {string} id
   * @returns {() => void} takes that back, but for what only the history has
   */
  replace(questionId, text, id) {
    const replaced = this.#order.slice(this.#place(questionId) + 1).filter((message) => message.id !== id);
    const answer = replaced.findLast(({ role }) => role === "assistant");
    for (const message of replaced) this.delete(message.id);
    const question = this.#shown.get(questionId);
    const before = question?.content;
    question?.reword(text);
    if (answer) this.#shown.get(id)?.keep(answer);
    return () => {
      for (const message of replaced) this.#deleted.delete(message.id);
      if (typeof before === "string") question?.reword(before);
      this.remove(id);
    };
  }

  /** The messages as they stand on the page. */
  get #order() {
    const ids = [...this.#list.children].map((element) => /** @type {HTMLElement} */ (element).dataset.id ?? "");
    return ids.flatMap((id) => this.#shown.get(id) ?? []);
  }

  /** @param {string} id */
  #place(id) {
    return this.#order.findIndex((message) => message.id === id);
  }

  /** Whether a tool call of this answer waits for the person at this tab. @param {string} id */
  isWaiting(id) {
    return this.#shown.get(id)?.isWaiting ?? false;
  }

  /**
   * Ends an answer.
   * @param {string} id
   * @param {string | null} fault why it is incomplete; null if it is complete
   * @param {"error" | "broken off" | null} failure
   */
  finish(id, fault, failure) {
    this.#shown.get(id)?.finish(fault, failure);
    this.#settle();
  }

  /** @param {ChatMessage} message */
  #get(message) {
    const known = this.#shown.get(message.id);
    if (known) {
      known.update(message);
      return known;
    }
    const made = new Message(message, this.#actions);
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
