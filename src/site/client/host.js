/** The tab's side: offers tools, takes requests from the stream, answers each once. */

import { Acks } from "./acks.js";
import { Emitter } from "./emitter.js";
import { WaypostError } from "./errors.js";
import { OpenWire, SealedWire } from "./host-wire.js";
import { Ledger } from "./ledger.js";
import { Runner } from "./runner.js";
import { tabStorage } from "./session.js";
import { EventStream } from "./stream.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./stream.js").StreamState} StreamState */
/** @typedef {import("./ledger.js").AnswerError} AnswerError */

/**
 * A tool as guests see it; as in MCP.
 * @typedef {object} ToolDefinition
 * @property {string} name
 * @property {string} [title]
 * @property {string} [description]
 * @property {Record<string, unknown>} [inputSchema] JSON Schema of the arguments
 * @property {Record<string, unknown>} [outputSchema]
 * @property {Record<string, unknown>} [annotations] hints such as `readOnlyHint`
 * @property {Record<string, unknown>} [_meta]
 */

/**
 * @typedef {object} ToolContext
 * @property {string} id the request's
 * @property {AbortSignal} signal aborted when the request is cancelled or the session ends: stop, nobody waits
 * @property {boolean} restarted this request was already begun before the page was reloaded; its effects may be there
 * @property {(value: unknown) => void} progress tell the guest how far it is; any JSON
 */

/** @typedef {(args: any, context: ToolContext) => unknown} ToolHandler */

/** @typedef {{ id: string, tool: string, args: any, replay: boolean, repeat: boolean }} RequestDetail */
/**
 * `final` false: progress. `repeat`: the first answer, given again.
 * @typedef {{ id: string, tool?: string, result?: unknown, error?: AnswerError, final: boolean, durationMs?: number,
 *   repeat?: boolean }} ResponseDetail
 */
/**
 * @typedef {object} HostEvents
 * @property {StreamState} state
 * @property {RequestDetail} request a request has come; `replay`: one that was sent before; `repeat`: it is not run again
 * @property {ResponseDetail} response an answer or progress was given (not yet: delivered)
 * @property {{ id: string }} delivered the server has acknowledged the answer
 * @property {{ id: string }} cancel the guest has taken a request back
 * @property {any} session the session changed, was extended
 * @property {{ reason: string, after?: string, producer?: string, seq?: number }} gap messages were missed
 * @property {{ error: unknown }} error something failed; unless it says otherwise, it will be tried again
 */

/**
 * Offers the tools of this tab and answers the requests for them.
 * @extends {Emitter<HostEvents>}
 */
export class Host extends Emitter {
  #session;
  #ledger;
  #acks;
  #wire;
  #runner;
  #stream;
  #published = false;
  /** @type {StreamState} */
  #state = { state: "waiting" };
  /** @type {Map<string, { definition: ToolDefinition, handler: ToolHandler }>} */
  #tools = new Map();

  /**
   * @param {Session} session
   * @param {{ storage?: Storage | null }} [options] where answers are remembered across a reload
   */
  constructor(session, { storage = tabStorage() } = {}) {
    super();
    this.#session = session;
    const fail = (/** @type {unknown} */ error) => this.emit("error", { error });
    this.#ledger = new Ledger(session.code, storage, fail);
    const { code, key } = session;
    this.#wire = key === undefined ? new OpenWire() : new SealedWire(code, key, storage, fail);
    this.#acks = new Acks((cursors) => this.#post("/api/ack", { cursors }), fail);
    this.#runner = new Runner({
      ledger: this.#ledger,
      handler: (tool) => this.#tools.get(tool)?.handler,
      admit: (id) => this.#wire.admit(id),
      send: (call, answer, final) => this.#answer(call, answer, final),
      emit: (type, detail) => this.emit(type, detail),
    });
    this.#stream = new EventStream({
      open: (cursor, signal) => this.#open(cursor, signal),
      cursor: this.#ledger.cursor,
      moved: (cursor) => (this.#ledger.cursor = cursor),
      receive: (type, data) => this.#receive(type, data),
      report: (state) => this.#report(state),
      fail,
    });
  }

  get session() {
    return this.#session;
  }

  /** The last `state` event. */
  get state() {
    return this.#state;
  }

  /**
   * Offer a tool; one with the same name is replaced. While connected, guests are told.
   * @param {ToolDefinition} definition
   * @param {ToolHandler} handler what it returns is the result; what it throws becomes an error answer
   */
  tool(definition, handler) {
    this.#tools.set(definition.name, { definition, handler });
    this.#published = false;
    if (this.#state.state === "online") {
      // After this turn, so that several tools registered together are published together.
      queueMicrotask(() => this.#publish().catch((error) => this.emit("error", { error })));
    }
    return this;
  }

  /**
   * Publish the tools and listen, until `close()` or the session's end; reconnects by itself.
   * @returns {Promise<void>} settles at the first connection; rejects if the session is over before there is one
   */
  connect() {
    return new Promise((resolve, reject) => {
      const stop = this.on("state", (now) => {
        if (now.state === "online") resolve();
        else if (now.state === "ended") reject(now.error ?? new WaypostError("ended", `The session is over: ${now.reason}.`));
        else return;
        stop();
      });
      this.#stream.start();
      this.#runner.resume();
    });
  }

  /** While waiting to reconnect: try now. */
  retry() {
    this.#stream.wake(false);
  }

  /** Stop listening, without ending the session: requests wait for the next `Host`. */
  close() {
    this.#stream.stop();
    this.#acks.stop();
    this.#runner.stop("The tab has stopped listening.");
  }

  /** End the session for everybody, and forget what was remembered of it. */
  async end() {
    await this.#session.end();
    this.#stream.stop();
    // The stream may have brought the news before the reply.
    if (this.#state.state !== "ended") this.#report({ state: "ended", reason: "ended" });
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  #post(path, body) {
    return this.#session.http.json("POST", path, { body: { code: this.#session.code, ...body } });
  }

  /**
   * @param {import("./runner.js").Asked} call
   * @param {import("./ledger.js").Answer} answer
   * @param {boolean} final
   */
  async #answer(call, answer, final) {
    return this.#post("/api/response", { id: call.id, ...(await this.#wire.answer(call, answer, final)), final });
  }

  async #publish() {
    if (this.#published) return;
    this.#published = true;
    try {
      const tools = [...this.#tools.values()].map(({ definition }) => this.#wire.offer(definition));
      await this.#session.http.json("PUT", `/api/sessions/${this.#session.code}/tools`, { body: { tools } });
    } catch (error) {
      this.#published = false;
      throw error;
    }
  }

  /**
   * @param {string} cursor
   * @param {AbortSignal} signal
   */
  async #open(cursor, signal) {
    await this.#publish();
    /** @type {Record<string, string>} */
    const headers = { accept: "text/event-stream" };
    if (cursor) headers["last-event-id"] = cursor;
    return this.#session.http.open("GET", "/api/stream", { query: { code: this.#session.code }, headers, signal });
  }

  /** @param {StreamState} state */
  #report(state) {
    this.#state = state;
    if (state.state === "online") this.#runner.wake();
    if (state.state === "ended") {
      this.#acks.stop();
      this.#runner.stop("The session is over.");
      this.#ledger.clear();
      this.#wire.forget();
    }
    this.emit("state", state);
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #receive(type, data) {
    if (type === "request") {
      this.#take(data).catch((error) => this.emit("error", { error }));
    } else if (type === "cancel") {
      this.#acks.add(data.cursor);
      this.#runner.cancel(data.id);
    } else if (type === "ready" || type === "session") {
      this.#session.update(data);
      this.emit("session", data);
    } else if (type === "gap") {
      this.emit("gap", data);
    }
  }
  /** @param {import("./runner.js").Request} request */
  async #take(request) {
    const opened = this.#wire.open(request);
    // Without a pause where there is nothing to wait for.
    const isWanted = await this.#runner.take(opened instanceof Promise ? await opened : opened);
    if (!isWanted) this.#acks.add(request.cursor);
  }
}
