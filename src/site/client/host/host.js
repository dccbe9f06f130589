/**
 * The tab's side of a session: offers tools, receives requests from the stream, answers each once.
 *
 * Of several hosts of one session the newest gets the requests. In one browser only one page is the host, and a copy of it
 * waits; elsewhere the server tells the older host that it was superseded. Neither comes back by itself: see `takeOver()`.
 */

import { Acks } from "./acks.js";
import { Approvals } from "./approvals.js";
import { Emitter } from "../emitter.js";
import { WaypostError } from "../errors.js";
import { isAboutRequest, isInstance, isToolName } from "../grammar.js";
import { newId } from "../ids.js";
import { PlainWire, EncryptedWire } from "../crypto/host-wire.js";
import { RequestStore } from "../storage/request-store.js";
import { retain } from "../storage/tab-storage.js";
import { Runner } from "./runner.js";
import { Seat } from "./seat.js";
import { tabStorage } from "../session/session.js";
import { EventStream } from "../transport/event-stream.js";
import { checkedDefinition } from "./tool-definition.js";
import { ToolRegistry } from "./tool-registry.js";
import { WebMcp } from "../webmcp/bridge.js";
import { pageTools } from "../webmcp/page-tools.js";

/** How long a page or a process that closes waits for its goodbye. */
const LEAVE_TIMEOUT_MS = 5000;

/** @typedef {import("../session/session.js").Session} Session */
/** @typedef {import("../transport/event-stream.js").StreamState} StreamState */
/** @typedef {import("./approvals.js").Approver} Approver */
/** @typedef {import("./approvals.js").Decision} Decision */
/** @typedef {import("./host-events.js").HostEvents} HostEvents */
/** @typedef {import("./tool-registry.js").ToolDefinition} ToolDefinition */
/** @typedef {import("./tool-registry.js").ToolHandler} ToolHandler */
/** @typedef {import("./tool-registry.js").ToolOptions} ToolOptions */

/**
 * Offers the tools of this tab and answers the requests for them.
 * @extends {Emitter<HostEvents>}
 */
export class Host extends Emitter {
  #session;
  #storage;
  #requests;
  #acks;
  #wire;
  #runner;
  #seat;
  /** @type {EventStream | null} */
  #stream = null;
  #tools;
  #approvals;
  /** @type {WebMcp | null} */
  #webMcp = null;
  /** This run of the host, for the server; empty when it is none. */
  #instance = "";
  /** An older host may be running what it was sent. */
  #hasPredecessor = false;
  /** @type {StreamState} */
  #state = { state: "waiting" };

  /**
   * @param {Session} session
   * @param {object} [options]
   * @param {Storage | null} [options.storage] where answers and approvals are kept across a reload
   * @param {Approver} [options.approve] decides on each call of a tool without `readOnlyHint`; by
   *   default there is no approver, and every call runs: registering the tool allowed it
   */
  constructor(session, { storage = tabStorage(), approve } = {}) {
    super();
    this.#session = session;
    const fail = (/** @type {unknown} */ error) => this.emit("error", { error });
    const { code, key, memory } = session;
    retain(memory, storage, fail);
    this.#storage = storage;
    this.#requests = new RequestStore(session, storage, fail);
    this.#wire = key === undefined ? new PlainWire() : new EncryptedWire({ code, key, memory }, storage, fail);
    if (session.isOver) this.#wire.close();
    this.#acks = new Acks((cursors) => this.#post("/api/ack", { cursors }), fail);
    const decided = (/** @type {string} */ id, /** @type {string} */ tool, /** @type {Decision} */ decision) =>
      this.emit("approval", { id, tool, decision });
    this.#approvals = new Approvals({ memory, storage, approver: approve, decided, fail });
    this.#tools = new ToolRegistry({
      put: (definitions) => {
        const tools = definitions.map((definition) => this.#wire.offer(definition));
        return session.http.json("PUT", `/api/sessions/${code}/tools`, { body: { tools } });
      },
      mapsNames: session.mapToolNames,
      fail,
    });
    this.#runner = new Runner({
      requests: this.#requests,
      tools: this.#tools,
      approvals: this.#approvals,
      wire: this.#wire,
      send: (call, answer, final) => this.#answer(call, answer, final),
      emit: (type, detail) => this.emit(type, detail),
    });
    this.#seat = new Seat({
      session,
      memory: () => ({ entries: this.#requests.entries, cursor: this.#requests.cursor, seen: this.#wire.admitted }),
      adopt: ({ entries, cursor, seen }) => {
        this.#requests.adopt(entries, cursor);
        const ran = entries.filter(([, { status }]) => status !== "cancelled").map(([id]) => id);
        return this.#wire.adopt([...seen, ...ran]);
      },
      taken: () => this.#begin(),
      waits: () => this.#report({ state: "elsewhere" }),
      asked: () => this.#yield({ state: "superseded", since: new Date() }, () => this.#seat.giveUp()),
      left: () => this.#pause(),
      returns: () => this.#state.state !== "superseded",
      fail,
    });
    this.#requests.changed = (id, entry) => this.#seat.changed(id, entry);
  }

  get session() {
    return this.#session;
  }

  /** The last `state` event. */
  get state() {
    return this.#state;
  }

  /**
   * Offers a tool, in place of one with the same name. While connected, guests are notified. Throws `WaypostError` for a tool that
   * clients could not read; the others stay.
   * @param {ToolDefinition} definition
   * @param {ToolHandler} handler what it returns is the result: any JSON of at most 8 MiB (6 MiB if the session is encrypted), or
   *   a Blob with an image or a sound, which becomes a content block of MCP. What it throws becomes an error answer
   * @param {ToolOptions} [options]
   */
  tool(definition, handler, { approve } = {}) {
    const tool = { definition: checkedDefinition(definition), handler, approve };
    if (approve) this.#approvals.requireApprover(tool);
    this.#tools.set(tool);
    this.#publish();
    return this;
  }

  /**
   * Withdraws a tool. A call that is running is not stopped. While connected, guests are notified.
   * @param {string} name
   * @returns {boolean} whether there was one
   */
  removeTool(name) {
    const isThere = this.#tools.delete(name);
    if (isThere) this.#publish();
    return isThere;
  }

  /**
   * Offers the tools that the page has registered with the browser (WebMCP), and follows their changes, until `stop()` of what
   * it returns, `close()` or the end of the session. A tool of this host with the same name stays. A tool that can't be
   * offered is reported as an `error` event. Tools that a page registered before are found where the browser has a list.
   * @returns {WebMcp}
   */
  webmcp() {
    if (this.#webMcp && !this.#webMcp.isStopped) return this.#webMcp;
    return (this.#webMcp = new WebMcp(pageTools(), {
      offer: (definition, handler) => {
        this.tool(definition, handler);
        return /** @type {import("./tool-registry.js").Tool} */ (this.#tools.find(definition.name));
      },
      find: (name) => this.#tools.find(name),
      withdraw: (name) => void this.removeTool(name),
      fail: (error) => this.emit("error", { error }),
    }));
  }

  /** Whether a call of this tool waits for a decision. @param {string} name */
  needsApproval(name) {
    const tool = this.#tools.find(name);
    return tool !== undefined && this.#approvals.isRequired(tool);
  }

  /**
   * Sets whether calls of this tool wait for a decision, for as long as the session and this tab last.
   * @param {string} name
   * @param {boolean} [isRequired]
   */
  requireApproval(name, isRequired = true) {
    const tool = this.#tools.find(name);
    if (!tool) throw new WaypostError("unknown_tool", `This tab has no tool "${name}".`);
    this.#approvals.setRequired(tool, isRequired);
  }

  /**
   * Publishes the tools and listens, until `close()` or the session's end. Reconnects automatically. While another page of
   * this browser is the session's host, the state is `elsewhere`, and this page takes over when that one closes.
   * @returns {Promise<void>} resolves at the first connection; rejects if the session ends before
   */
  connect() {
    return new Promise((resolve, reject) => {
      const stop = this.on("state", (now) => {
        if (now.state === "online") resolve();
        else if (now.state === "ended") reject(now.error ?? new WaypostError("ended", `The session is over: ${now.reason}.`));
        else return;
        stop();
      });
      this.#seat.take();
    });
  }

  /** Reconnects now instead of waiting for the next attempt. */
  retry() {
    this.#stream?.retry();
  }

  /**
   * Becomes the host again in the state `superseded`, or in place of the other page in the state `elsewhere`. The other
   * one is superseded; what it is running goes on to its end.
   */
  takeOver() {
    if (this.#state.state === "superseded") this.#resume();
    else if (this.#state.state === "elsewhere") this.#seat.request();
  }

  /**
   * Stops listening without ending the session: requests wait for the next `Host`.
   * @returns {Promise<void>} resolves when the server knows; a process should not exit before
   */
  async close() {
    this.#webMcp?.leave();
    this.#seat.close();
    this.#stream?.stop();
    this.#acks.stop();
    this.#runner.stop("The tab has stopped listening.");
    await this.#leave();
  }

  /** Ends the session for the host and all guests, and deletes its stored state. */
  async end() {
    await this.#session.end();
    this.#stream?.stop();
    // The stream may have reported the end before the response arrived.
    if (this.#state.state !== "ended") this.#report({ state: "ended", reason: "ended" });
  }

  #publish() {
    if (this.#state.state !== "online") return;
    // After this turn, so that several tools registered together are published together.
    queueMicrotask(() => this.#tools.publish().catch((error) => this.emit("error", { error })));
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  #post(path, body) {
    return this.#session.http.json("POST", path, { body: { code: this.#session.code, ...body } });
  }

  /**
   * @param {import("./runner.js").AnsweredCall} call
   * @param {import("../storage/request-store.js").Answer} answer
   * @param {boolean} final
   */
  async #answer(call, answer, final) {
    return this.#post("/api/response", { id: call.id, ...(await this.#wire.answer(call, answer, final)), final });
  }

  /**
   * @param {string} cursor
   * @param {AbortSignal} signal
   */
  async #open(cursor, signal) {
    await this.#tools.publish();
    /** @type {Record<string, string>} */
    const headers = { accept: "text/event-stream" };
    if (cursor) headers["last-event-id"] = cursor;
    const query = { code: this.#session.code, instance: this.#instance };
    return this.#session.http.open("GET", "/api/stream", { query, headers, signal });
  }

  /** Is the host of its browser, and connects. */
  #begin() {
    if (this.#seat.isUncertain && this.#session.key !== undefined) {
      // A malicious server could otherwise make this page run again what ran in the other one.
      const error = new WaypostError("not_handed_over", "The tab that had this encrypted session has closed unexpectedly.");
      return this.#report({ state: "ended", reason: error.code, error });
    }
    this.#instance = newId();
    this.#hasPredecessor = false;
    this.#requests.refresh();
    this.#tools.expire();
    this.#stream = new EventStream({
      open: (cursor, signal) => this.#open(cursor, signal),
      cursor: this.#requests.cursor,
      moved: (cursor) => (this.#requests.cursor = cursor),
      receive: (type, data) => this.#receive(type, data),
      report: (state) => (state.state === "superseded" ? this.#yield(state) : this.#report(state)),
      fail: (error) => this.emit("error", { error }),
    });
    this.#stream.start();
    this.#runner.resume();
  }

  /** Becomes the host again, with the lock that it has kept or as soon as it has it. */
  #resume() {
    if (this.#seat.isTaken) this.#begin();
    else this.#seat.take();
  }

  /**
   * Takes no requests any more, because another host has taken over.
   * @param {StreamState} state
   * @param {() => void} [finished] called when nothing is running any more
   */
  #yield(state, finished = () => {}) {
    this.#stream?.stop();
    this.#runner.finish(() => {
      // The newer host is held back what this one may have been running: no longer.
      this.#leave();
      finished();
    });
    this.#report(state);
  }

  /** The page is closing; it may come back. */
  #pause() {
    this.#stream?.stop();
    this.#leave();
  }

  /** Says that this instance is no host any more, once. */
  async #leave() {
    const [instance] = this.#instance.split(".");
    this.#instance = "";
    if (!instance || this.#session.isOver) return;
    try {
      const options = { body: { instance }, keepalive: true, timeoutMs: LEAVE_TIMEOUT_MS };
      await this.#session.http.json("POST", `/api/sessions/${this.#session.code}/leave`, options);
    } catch (error) {
      this.emit("error", { error });
    }
  }

  /** @param {StreamState} state */
  #report(state) {
    this.#state = state;
    if (state.state === "online") this.#runner.wake();
    if (state.state === "ended") {
      this.#webMcp?.leave();
      this.#acks.stop();
      this.#instance = "";
      this.#runner.stop("The session is over.");
      // First, so that nothing restores the session: the state deleted next is what keeps its requests from running twice.
      this.#session.markOver(this.#storage);
      this.#wire.close();
      this.#requests.close();
      this.#approvals.clear();
      this.#seat.close();
    }
    this.emit("state", state);
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #receive(type, data) {
    const isKnown = type === "request" ? isAboutRequest(data) && isToolName(data.tool) : type !== "cancel" || isAboutRequest(data);
    if (!isKnown) {
      const error = new WaypostError("bad_event", `An event of kind ${type} has an id, a tool or a cursor that is none.`);
      this.emit("error", { error });
    } else if (type === "request") {
      this.#take(data).catch((error) => this.emit("error", { error }));
    } else if (type === "cancel") {
      this.#acks.add(data.cursor);
      this.#runner.cancel(data.id);
    } else if (type === "ready" || type === "session") {
      if (isInstance(data.instance, this.#instance)) this.#instance = data.instance;
      if (data.tookOver === true) this.#hasPredecessor = true;
      this.#session.update(data);
      this.emit("session", data);
    } else if (type === "gap") {
      this.emit("gap", data);
    }
  }

  /** @param {import("./runner.js").Request} request */
  async #take(request) {
    if (request.replay && this.#hasPredecessor) request.restarted = true;
    const opened = this.#wire.open(request);
    // No `await` on plain messages, so that they are handled synchronously.
    const isWanted = await this.#runner.take(opened instanceof Promise ? await opened : opened);
    if (!isWanted) this.#acks.add(request.cursor);
  }
}
