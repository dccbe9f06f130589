/**
 * The tab's side of a session: offers tools, receives requests from the stream, answers each once.
 *
 * Of several hosts of one session the newest gets the requests. In one browser only one page is the host, and a copy of it
 * waits; elsewhere the server tells the older host that it was superseded. Neither comes back by itself: see `takeOver()`.
 */

import { Emitter } from "../emitter.js";
import { WaypostError } from "../errors.js";
import { tabStorage } from "../session/session.js";
import { WebMcp } from "../webmcp/bridge.js";
import { pageTools } from "../webmcp/page-tools.js";
import { assemble } from "./parts.js";
import { checkedDefinition } from "./tool-definition.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */
/** @typedef {import("../session/session.js").Session} Session */
/** @typedef {import("../transport/event-stream.js").StreamState} StreamState */
/** @typedef {import("./approvals.js").Approver} Approver */
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
  #parts;
  /** @type {WebMcp | null} */
  #webMcp = null;

  /**
   * @param {Session} session
   * @param {object} [options]
   * @param {StateStorage | null} [options.storage] where answers and approvals are kept across a reload
   * @param {Approver} [options.approve] decides on each call of a tool without `readOnlyHint`; by
   *   default there is no approver, and every call runs: registering the tool allowed it
   */
  constructor(session, { storage = tabStorage(), approve } = {}) {
    super();
    this.#session = session;
    this.#parts = assemble(session, {
      storage,
      approve,
      emit: (type, detail) => this.emit(type, detail),
      report: (state) => this.#report(state),
    });
  }

  get session() {
    return this.#session;
  }

  /** The last `state` event. */
  get state() {
    return this.#parts.connection.state;
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
    if (approve) this.#parts.approvals.requireApprover(tool);
    this.#parts.tools.set(tool);
    this.#publish();
    return this;
  }

  /**
   * Withdraws a tool. A call that is running is not stopped. While connected, guests are notified.
   * @param {string} name
   * @returns {boolean} whether there was one
   */
  removeTool(name) {
    const isThere = this.#parts.tools.delete(name);
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
        return /** @type {import("./tool-registry.js").Tool} */ (this.#parts.tools.find(definition.name));
      },
      find: (name) => this.#parts.tools.find(name),
      withdraw: (name) => void this.removeTool(name),
      fail: (error) => this.emit("error", { error }),
    }));
  }

  /** Whether a call of this tool waits for a decision. @param {string} name */
  needsApproval(name) {
    const tool = this.#parts.tools.find(name);
    return tool !== undefined && this.#parts.approvals.isRequired(tool);
  }

  /**
   * Sets whether calls of this tool wait for a decision, for as long as the session and this tab last.
   * @param {string} name
   * @param {boolean} [isRequired]
   */
  requireApproval(name, isRequired = true) {
    const tool = this.#parts.tools.find(name);
    if (!tool) throw new WaypostError("unknown_tool", `This tab has no tool "${name}".`);
    this.#parts.approvals.setRequired(tool, isRequired);
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
      this.#parts.connection.take();
    });
  }

  /** Reconnects now instead of waiting for the next attempt. */
  retry() {
    this.#parts.connection.retry();
  }

  /**
   * Becomes the host again in the state `superseded`, or in place of the other page in the state `elsewhere`. The other
   * one is superseded; what it is running goes on to its end.
   */
  takeOver() {
    this.#parts.connection.takeOver();
  }

  /**
   * Stops listening without ending the session: requests wait for the next `Host`.
   * @returns {Promise<void>} resolves when the server knows; a process should not exit before
   */
  async close() {
    this.#webMcp?.leave();
    const { acks, connection, runner } = this.#parts;
    connection.close();
    acks.stop();
    runner.stop("The tab has stopped listening.");
    await connection.leave();
  }

  /** Ends the session for the host and all guests, and deletes its stored state. */
  async end() {
    await this.#session.end();
    this.#parts.connection.ended();
  }

  #publish() {
    if (this.state.state !== "online") return;
    // After this turn, so that several tools registered together are published together.
    queueMicrotask(() => this.#parts.tools.publish().catch((error) => this.emit("error", { error })));
  }

  /** @param {StreamState} state */
  #report(state) {
    if (state.state === "online") this.#parts.runner.wake();
    if (state.state === "ended") {
      this.#webMcp?.leave();
      this.#parts.over();
    }
    this.emit("state", state);
  }
}
