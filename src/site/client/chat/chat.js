/** One chat: sends messages, streams the answers, and reads the history that the server keeps. */

import { AnswerStream } from "./answer-stream.js";
import { ApiError, WaypostError } from "../errors.js";
import { missedEvents } from "./history.js";
import { Http } from "../transport/http.js";
import { newId } from "../ids.js";
import { ownOrigin } from "../server.js";

/** @typedef {import("./answer-events.js").ChatEvent} ChatEvent */
/** @typedef {import("./chat-options.js").ChatOptions} ChatOptions */
/** @typedef {import("./chat-options.js").HistoryQuery} HistoryQuery */
/** @typedef {import("./chat-options.js").SendOptions} SendOptions */
/** @typedef {import("./history.js").ChatHistory} ChatHistory */

export class Chat {
  #options;
  #http;
  #sessionId;
  /** The answer that was heard last, so that a late stop hits no other. @type {string | undefined} */
  #heard;

  /** @param {ChatOptions} options */
  constructor(options) {
    this.#options = options;
    this.threadId = options.threadId;
    this.resourceId = options.resourceId ?? options.threadId;
    this.#http = new Http(options.baseUrl ?? ownOrigin(), options.appKey);
    this.#sessionId = options.sessionId ?? null;
  }

  /** The secret id that owns its history, documents and pages. Null until it is known. */
  get sessionId() {
    return this.#sessionId;
  }

  /**
   * Sends a message and streams the answer. The message is sent when the first event is requested. If the connection
   * breaks, the stream resumes without losing or repeating a character.
   *
   * The first event rejects with `ApiError` if the server refuses (409 `answer_running`: another answer is not
   * finished), and with `TransportError` if no response came: the message may have arrived. If the model fails, there is
   * an event `error`; with `partial: false` neither message nor answer was stored.
   * @param {string} message
   * @param {SendOptions} [options]
   * @returns {AsyncGenerator<ChatEvent, void, void>}
   */
  async *send(message, { messageId = newId(), replace, interrupt, metadata, session, signal } = {}) {
    const { threadId, resourceId } = this;
    const asked = replace ? replacing(message, threadId, messageId) : { message, threadId, messageId };
    const body = { ...asked, resourceId, agent: this.#options.agent, interrupt, metadata, session };
    const first = (/** @type {AbortSignal} */ alive) => this.#open("POST", "/api/chat", alive, { body });
    const stream = this.#stream(first, signal, messageId);
    this.#heard = undefined;
    yield* this.#watch(stream.events(await stream.open()));
  }

  /**
   * Streams the answer that is running in this thread, from its beginning; null if there is none.
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<AsyncGenerator<ChatEvent, void, void> | null>}
   */
  async resume({ signal } = {}) {
    const stream = this.#stream((alive) => this.#listen("", alive), signal);
    try {
      const response = await stream.open();
      return response.status === 204 ? null : this.#watch(stream.events(response));
    } catch (error) {
      if (error instanceof ApiError && error.code === "thread_not_found") return null;
      throw error;
    }
  }

  /**
   * Stops the running answer for all listeners; its text so far is stored. If this chat heard an answer start, only that
   * answer is stopped.
   * @returns {Promise<{ stopped: boolean, generationId: string | null }>}
   */
  async stop() {
    const body = { resourceId: this.resourceId, generationId: this.#heard };
    return (await this.#http.json("POST", `${this.#path}/stop`, { body })).data;
  }

  /**
   * Reads the stored messages: all of them, or a page.
   * @param {HistoryQuery} [query]
   * @returns {Promise<ChatHistory>} rejects with `ApiError` `message_not_found` if `before` is not kept any more
   */
  async history({ limit, before, signal } = {}) {
    const sessionId = await this.#findSession();
    if (!sessionId) return { sessionId, messages: [], truncated: false };
    return (await this.#http.json("GET", `/api/conversations/${sessionId}`, { query: { limit, before }, signal })).data;
  }

  /**
   * Deletes one message; the others stay, and the model is shown them without it. Succeeds also if there is none.
   * @param {string} messageId
   */
  async deleteMessage(messageId) {
    const sessionId = await this.#findSession();
    if (!sessionId) return;
    await this.#http.json("DELETE", `/api/conversations/${sessionId}/messages/${encodeURIComponent(messageId)}`);
  }

  /**
   * Starts another thread with this one's history: all of it, or up to a message. This thread does not change.
   * @param {{ threadId: string, atMessageId?: string, agent?: string, metadata?: Record<string, string> }} options
   *   `metadata`: by default this thread's
   * @returns {Promise<Chat>} of the new thread
   */
  async fork({ threadId, atMessageId, agent = this.#options.agent, metadata }) {
    const { resourceId } = this;
    const body = { forkFromThreadId: this.threadId, threadId, resourceId, agent, atMessageId, metadata };
    const { session } = (await this.#http.json("POST", "/api/chat/fork", { body })).data;
    return new Chat({ ...this.#options, threadId, resourceId, agent, sessionId: session.sessionId });
  }

  /**
   * The stored messages, as text for a file.
   * @param {"json" | "jsonl" | "markdown"} [format]
   * @returns {Promise<string>}
   */
  async export(format = "markdown") {
    const sessionId = await this.#findSession();
    if (!sessionId) throw new WaypostError("thread_not_found", "This thread has no messages yet: there is nothing to export.");
    return this.#http.text("GET", `/api/conversations/${sessionId}`, { query: { format } });
  }

  get #path() {
    return `/api/chat/${encodeURIComponent(this.threadId)}`;
  }

  /** @returns {Promise<string | null>} */
  async #findSession() {
    if (this.#sessionId) return this.#sessionId;
    const body = { threadId: this.threadId, resourceId: this.resourceId };
    try {
      this.#sessionId = (await this.#http.json("POST", "/api/sessions/metadata", { body })).data.session.sessionId;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "thread_not_found") throw error;
    }
    return this.#sessionId;
  }

  /**
   * @param {(signal: AbortSignal) => Promise<Response>} first
   * @param {AbortSignal} [signal]
   * @param {string} [messageId]
   */
  #stream(first, signal, messageId) {
    return new AnswerStream({
      first,
      again: (lastEventId, alive) => this.#listen(lastEventId, alive),
      rest: async (progress) => missedEvents(progress, await this.history(), this),
      messageId,
      signal,
    });
  }

  /**
   * @param {string} lastEventId
   * @param {AbortSignal} signal
   */
  #listen(lastEventId, signal) {
    const query = { resourceId: this.resourceId };
    return this.#open("GET", `${this.#path}/stream`, signal, { query, lastEventId });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {AbortSignal} signal
   * @param {{ body?: object, query?: Record<string, string>, lastEventId?: string }} more
   */
  #open(method, path, signal, { body, query, lastEventId }) {
    /** @type {Record<string, string>} */
    const headers = { accept: "text/event-stream" };
    if (lastEventId) headers["last-event-id"] = lastEventId;
    return this.#http.open(method, path, { body, query: { ...query, format: "events" }, headers, signal });
  }

  /**
   * Passes the events on, and keeps the ids that they bring.
   * @param {AsyncGenerator<ChatEvent, void, void>} events
   * @returns {AsyncGenerator<ChatEvent, void, void>}
   */
  async *#watch(events) {
    for await (const event of events) {
      if (event.type === "start") {
        this.#sessionId = event.sessionId;
        this.#heard = event.generationId;
      }
      yield event;
    }
  }
}

/** The form in which a message says that it was there before. @param {string} text @param {string} threadId @param {string} messageId */
function replacing(text, threadId, messageId) {
  return { id: threadId, messageId, messages: [{ id: messageId, role: "user", parts: [{ type: "text", text }] }] };
}
