/** The open thread: its history, the answer that is being given, what goes wrong. */

import { ApiError, Chat, TransportError } from "../../waypost.js";
import { newId } from "../../client/ids.js";
import { byId, showPill } from "../shared/dom.js";
import { Messages } from "./messages.js";
import { credentials, resourceId } from "./identity.js";
import { titleFrom } from "./titles.js";
import { partialText } from "./error-text.js";

/** @typedef {import("../../waypost.js").ChatEvent} ChatEvent */

/**
 * What was sent on this page. `begun`: its answer has.
 * @typedef {{ title?: string, begun: boolean }} SentMessage
 */

/**
 * What the view tells the page around it. `sent`: null for the answer to what was sent elsewhere.
 * @typedef {object} ThreadEvents
 * @property {(start: Extract<ChatEvent, { type: "start" }>, sent: SentMessage | null) => void} started
 * @property {(sent: SentMessage | null) => void} ended
 * @property {(isAnswering: boolean) => void} answering
 * @property {(sessionId: string | null) => void} session
 * @property {(error: unknown) => void} failed
 */

export class ThreadView {
  #messages;
  #events;
  /** @type {Chat | null} */
  #chat = null;
  #left = new AbortController();
  /** The answer that is being given, as far as this page has heard. */
  #running = "";
  #isBegun = false;

  /**
   * @param {ThreadEvents} events
   * @param {(messageId: string) => void} fork
   */
  constructor(events, fork) {
    this.#events = events;
    this.#messages = new Messages(fork);
  }

  get threadId() {
    return this.#chat?.threadId ?? "";
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

  /** A thread that begins with its first message. */
  openNew() {
    this.#use(new Chat({ threadId: newId(), resourceId: resourceId(), ...credentials() }), false);
    this.#describe();
  }

  /** @param {{ threadId: string, sessionId?: string }} thread */
  async open({ threadId, sessionId }) {
    this.#use(new Chat({ threadId, sessionId, resourceId: resourceId(), ...credentials() }), true);
    await this.refresh();
  }

  /** Look what is remembered, and listen to an answer that is being given. */
  async refresh() {
    const { chat, signal } = this.#now();
    if (!chat || !this.#isBegun) return;
    try {
      const { history, events } = await this.#look(chat, signal);
      if (signal.aborted) return;
      this.#messages.show(history.messages);
      this.#events.session(chat.sessionId);
      this.#describe();
      if (events) await this.#hear(events);
    } catch (error) {
      if (!signal.aborted) this.#events.failed(error);
    }
  }

  /**
   * Send a message and show its answer. Rejects if it could not be sent; it is then not on the page either.
   * @param {string} text
   * @param {boolean} [interrupt]
   */
  async send(text, interrupt) {
    const { chat, signal } = this.#now();
    if (!chat) return;
    const messageId = newId();
    const title = this.#isBegun ? undefined : titleFrom(text);
    this.#messages.add(messageId, text);
    /** @type {SentMessage} */
    const sent = { title, begun: false };
    // Who leaves the thread at once has sent the message all the same.
    const listening = new AbortController();
    signal.addEventListener("abort", () => sent.begun && listening.abort());
    try {
      const metadata = title ? { title } : undefined;
      const events = chat.send(text, { messageId, interrupt, metadata, signal: listening.signal });
      await this.#hear(events, sent);
      // Left, and open again: this page has looked before there was anything to see.
      if (signal.aborted && this.threadId === chat.threadId) await this.refresh();
    } catch (error) {
      if (sent.begun) {
        if (!signal.aborted) this.#events.failed(error);
        return;
      }
      const isHere = () => this.threadId === chat.threadId;
      // Whether it arrived is not known: the history is.
      if (error instanceof TransportError && (await this.#arrived(chat, messageId))) {
        if (isHere()) await this.refresh();
        return;
      }
      this.#messages.remove(messageId);
      if (isHere() && error instanceof ApiError && error.code === "answer_running") this.refresh();
      // Also to who has left since: nobody else says that it was not sent.
      throw error;
    }
  }

  /** Stop the answer. Rejects if that could not be asked for. */
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
   * What is remembered, and the answer that is being given, unless this page hears it already.
   * @param {Chat} chat
   * @param {AbortSignal} signal
   */
  async #look(chat, signal) {
    const resume = () => (this.isAnswering ? null : chat.resume({ signal }));
    // In this order: an answer that ends in between is then in the history, whole.
    let events = await resume();
    let history = await chat.history();
    const last = history.messages.at(-1);
    if (!events && last && (last.role === "user" || last.partial)) {
      // One that began in between has its question there, and is being given by now, or over.
      events = await resume();
      if (!events) history = await chat.history();
    }
    return { history, events };
  }

  /** @param {Chat} chat @param {string} messageId */
  async #arrived(chat, messageId) {
    try {
      return (await chat.history()).messages.some(({ id }) => id === messageId);
    } catch {
      return false;
    }
  }

  /** @param {AsyncIterable<ChatEvent>} events @param {SentMessage | null} [sent] */
  async #hear(events, sent = null) {
    const { signal } = this.#now();
    let answer = "";
    let fault = "";
    try {
      for await (const event of events) {
        if (signal.aborted) return;
        if (event.type === "start") {
          if (sent) sent.begun = true;
          // A look at the thread may find the answer to a message that was sent in the same moment.
          if (this.#running === event.generationId) return;
          answer = event.generationId;
          this.#begin(event, sent);
        } else if (event.type === "delta") {
          this.#messages.append(answer, event.text);
          if (this.#running === answer) showPill(byId("chat-state"), "Answering", "busy");
        } else if (event.type === "waiting") {
          showPill(byId("chat-state"), "Reconnecting", "warn");
        } else if (event.type === "error") {
          fault = event.message;
        } else {
          this.#messages.finish(answer, partialText(event, fault));
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
    this.#events.started(start, sent);
    this.#events.session(start.sessionId);
    if (!this.#messages.has(start.messageId)) this.#reconcile();
  }

  /** Bring the page in step with the history. It may be behind; what it lacks stays on the page. */
  async #reconcile() {
    const { chat, signal } = this.#now();
    try {
      const history = await chat?.history();
      if (history && !signal.aborted) this.#messages.show(history.messages);
    } catch {
      // What was heard is on the page; the next look tells.
    }
  }

  /** @param {string} generationId "" when nothing runs */
  #run(generationId) {
    this.#running = generationId;
    this.#events.answering(generationId !== "");
    if (generationId) showPill(byId("chat-state"), "Answering", "busy");
    else byId("chat-state").hidden = true;
  }

  /** What stands where messages would. */
  #describe() {
    byId("talk-hint").textContent = this.#isBegun
      ? "The server has no messages of this thread: they have expired or were deleted. Your next message starts it again."
      : "Write a message to start this thread.";
  }
}
