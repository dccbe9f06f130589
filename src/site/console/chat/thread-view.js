/** The open thread: its history and the running answer. */

import { ApiError, Chat, TransportError, WaypostError } from "../../waypost.js";
import { newId } from "../../client/ids.js";
import { byId } from "../shared/dom.js";
import { AnswerState } from "./answer-state.js";
import { ask } from "./asking.js";
import { Messages } from "./messages.js";
import { credentials, resourceId } from "./identity.js";
import { hasArrived, look, readEarlier, readLast } from "./reading.js";
import { titleFrom } from "./titles.js";
import { partialText } from "./error-text.js";

/** @typedef {import("../../waypost.js").ChatEvent} ChatEvent */
/** @typedef {import("./tab-tools.js").TabTools} TabTools */

/** @typedef {import("./thread-events.js").SentMessage} SentMessage */
/** @typedef {import("./thread-events.js").ThreadEvents} ThreadEvents */

export class ThreadView {
  #messages;
  #events;
  /** @type {Chat | null} */
  #chat = null;
  #left = new AbortController();
  /** The id of the running answer; "" if none. */
  #running = "";
  #state = new AnswerState(() => this.#messages.isWaiting(this.#running));
  #isBegun = false;

  /**
   * @param {ThreadEvents} events
   * @param {import("./message-actions.js").MessageActions} actions
   */
  constructor(events, actions) {
    this.#events = events;
    this.#messages = new Messages(actions, (before) => readEarlier(this.#now(), before, (error) => this.#events.failed(error)));
  }

  get threadId() {
    return this.#chat?.threadId ?? "";
  }

  get messages() {
    return this.#messages;
  }

  get chat() {
    return this.#chat;
  }

  /** Whether the thread exists: it has had a message. */
  get isBegun() {
    return this.#isBegun;
  }

  get isAnswering() {
    return this.#running !== "";
  }

  /** Opens a new thread, which starts with its first message. */
  openNew() {
    this.#use(new Chat({ threadId: newId(), resourceId: resourceId(), ...credentials() }), false);
    this.#describe();
  }

  /** @param {{ threadId: string, sessionId?: string }} thread */
  async open({ threadId, sessionId }) {
    this.#use(new Chat({ threadId, sessionId, resourceId: resourceId(), ...credentials() }), true);
    await this.refresh();
  }

  /** Reads the history, and listens to a running answer. */
  async refresh() {
    const { chat, signal } = this.#now();
    if (!chat || !this.#isBegun) return;
    try {
      const { history, events } = await look(chat, () => this.isAnswering, signal);
      if (signal.aborted) return;
      this.#messages.show(history);
      this.#events.session(chat.sessionId);
      this.#describe();
      if (events) await this.#hear(events);
    } catch (error) {
      if (!signal.aborted) this.#events.failed(error);
    }
  }

  /**
   * Sends a message and shows its answer. If it could not be sent, rejects and removes it from the page.
   * @param {string} text
   * @param {{ interrupt: boolean, tools: TabTools }} options
   */
  async send(text, { interrupt, tools }) {
    const { chat, signal } = this.#now();
    if (!chat) return;
    const messageId = newId();
    const title = this.#isBegun ? undefined : titleFrom(text);
    this.#messages.add(messageId, text);
    /** @type {SentMessage} */
    const sent = { title, begun: false };
    // Leaving the thread before the answer starts must not cancel the message.
    const listening = new AbortController();
    signal.addEventListener("abort", () => sent.begun && listening.abort());
    try {
      const metadata = title ? { title } : undefined;
      const events = ask(chat, text, { messageId, interrupt, metadata, signal: listening.signal }, tools);
      await this.#hear(events, sent);
      // The thread was left and opened again before the answer was visible: look again.
      if (signal.aborted && this.threadId === chat.threadId) await this.refresh();
    } catch (error) {
      if (sent.begun) {
        if (!signal.aborted) this.#events.failed(error);
        return;
      }
      const isHere = () => this.threadId === chat.threadId;
      // It is unknown whether the message arrived: check the history.
      if (error instanceof TransportError && (await hasArrived(chat, messageId))) {
        if (isHere()) await this.refresh();
        return;
      }
      this.#messages.remove(messageId);
      if (isHere() && error instanceof ApiError && error.code === "answer_running") this.refresh();
      // Thrown even if the user has left the thread: nothing else reports that the message was not sent.
      throw error;
    }
  }

  /**
   * Asks the question of an answer that broke off once more: it goes on where it was, and no tool runs again.
   * @param {string} answerId
   * @param {TabTools} tools
   */
  async goOn(answerId, tools) {
    const { chat, signal } = this.#now();
    const question = this.#messages.questionOf(answerId);
    if (!chat || !question || this.isAnswering) return;
    await this.#hear(ask(chat, question.text, { messageId: question.id, signal }, tools), null, answerId);
  }

  /**
   * Asks a question of this page once more: what follows it is replaced. Rejects if it can't be; then all is as it was.
   * @param {{ id: string, text: string }} question
   * @param {TabTools} tools
   */
  async askAgain({ id, text }, tools) {
    const { chat, signal } = this.#now();
    if (!chat || this.isAnswering) return;
    let isBegun = false;
    // As of a message that is sent: leaving the thread does not cancel it.
    const listening = new AbortController();
    signal.addEventListener("abort", () => isBegun && listening.abort());
    try {
      const events = ask(chat, text, { messageId: id, replace: true, signal: listening.signal }, tools);
      await this.#hear(events, null, "", (answerId) => {
        isBegun = true;
        this.#events.replaced();
        return this.#messages.replace(id, text, answerId);
      });
      this.#events.replaced();
    } catch (error) {
      if (signal.aborted) return;
      await this.#reconcile();
      throw error;
    }
  }

  /** Deletes a message of the thread. Rejects if the request fails. @param {string} messageId */
  async deleteMessage(messageId) {
    const { chat, signal } = this.#now();
    await chat?.deleteMessage(messageId);
    if (!signal.aborted) this.forget(messageId);
  }

  /** Removes a message that was deleted. @param {string} messageId */
  forget(messageId) {
    this.#messages.delete(messageId);
    this.#describe();
  }

  /** Stops the answer. Rejects if the request fails. */
  async stop() {
    await this.#chat?.stop();
  }

  /** @param {Chat} chat @param {boolean} isBegun */
  #use(chat, isBegun) {
    this.#left.abort();
    this.#left = new AbortController();
    this.#chat = chat;
    this.#isBegun = isBegun;
    this.#messages.clear(!isBegun);
    this.#events.session(chat.sessionId);
    this.#run("");
  }

  #now() {
    return { chat: this.#chat, signal: this.#left.signal };
  }

  /**
   * @param {AsyncIterable<ChatEvent>} events
   * @param {SentMessage | null} [sent]
   * @param {string} [before] the answer that goes on in this one
   * @param {(answerId: string) => (() => void)} [replace] makes room for the answer, which replaces others; returns what takes
   *   that back
   */
  async #hear(events, sent = null, before = "", replace = undefined) {
    let undo = () => {};
    const { signal } = this.#now();
    let answer = "";
    let fault = "";
    /** @type {"error" | "broken off" | null} */
    let failure = null;
    try {
      for await (const event of events) {
        if (signal.aborted) return;
        if (event.type === "start") {
          if (sent) sent.begun = true;
          // A refresh in the same moment may already listen to this answer.
          if (this.#running === event.generationId) return;
          answer = event.generationId;
          if (before && before !== answer) this.#messages.remove(before);
          this.#begin(event, sent);
          if (replace) undo = replace(answer);
        } else if (event.type === "error") {
          if (replace && !event.partial) {
            undo();
            throw new WaypostError("not_replaced", event.message);
          }
          if (sent && !event.partial) {
            this.#messages.remove(answer);
            sent.begun = false;
            this.#events.undone();
            throw new WaypostError(event.code, event.message);
          }
          failure = event.code === "answer_broken_off" ? "broken off" : "error";
          fault = failure === "broken off" ? "Broken off: the server that wrote it is gone" : event.message;
        } else if (event.type === "done") {
          this.#messages.finish(answer, partialText(event, fault), failure);
        } else {
          if (event.type !== "waiting") this.#messages.grow(answer, event);
          if (this.#running === answer) this.#state.show(event);
        }
      }
    } finally {
      if (!signal.aborted && answer && this.#running === answer) this.#run("");
    }
    this.#events.ended(sent);
    await this.#reconcile();
  }

  /** @param {Extract<ChatEvent, { type: "start" }>} start @param {SentMessage | null} sent */
  #begin(start, sent) {
    this.#isBegun = true;
    this.#messages.begin(start.generationId);
    this.#run(start.generationId);
    this.#state.show(start);
    this.#events.started(start, sent);
    this.#events.session(start.sessionId);
    if (!this.#messages.has(start.messageId)) this.#reconcile();
  }

  /** Updates the page from the history. The history may lag; messages that it lacks stay on the page. */
  async #reconcile() {
    const { chat, signal } = this.#now();
    try {
      const history = chat && (await readLast(chat));
      if (history && !signal.aborted) this.#messages.show(history);
    } catch {
      // The answer is on the page; the next refresh reads the history again.
    }
  }

  /** @param {string} generationId "" when nothing runs */
  #run(generationId) {
    this.#running = generationId;
    this.#events.answering(generationId !== "");
    if (!generationId) this.#state.hide();
  }

  /** Shows the hint of an empty thread. */
  #describe() {
    byId("talk-hint").textContent = this.#isBegun
      ? "The server has no messages of this thread: none was sent yet, or they have expired or were deleted. Your next message starts it."
      : "Write a message to start this thread.";
  }
}
