/** Runs each request once: a repeat gets the first answer, one that is still running is left alone. */

import { errorAnswer, resultAnswer, substitute } from "./answer.js";
import { isTransient } from "./errors.js";
import { Outbox } from "./outbox.js";
import { Progress } from "./progress.js";

/** @typedef {import("./ledger.js").Answer} Answer */
/** @typedef {import("./ledger.js").Ledger} Ledger */
/** @typedef {import("./host.js").HostEvents} HostEvents */
/** @typedef {import("./host.js").ToolHandler} ToolHandler */

/** @typedef {{ id: string, cursor: string, tool: string, args?: any, replay?: boolean }} Request */

/**
 * @typedef {object} RunnerOptions
 * @property {Ledger} ledger
 * @property {(tool: string) => ToolHandler | undefined} handler
 * @property {(id: string, answer: Answer, final: boolean) => Promise<unknown>} send
 * @property {<Type extends keyof HostEvents>(type: Type, detail: HostEvents[Type]) => void} emit
 */

export class Runner {
  #ledger;
  #handler;
  #send;
  #emit;
  #outbox;
  /** Handlers at work in this page. @type {Map<string, AbortController>} */
  #running = new Map();

  /** @param {RunnerOptions} options */
  constructor({ ledger, handler, send, emit }) {
    this.#ledger = ledger;
    this.#handler = handler;
    this.#send = send;
    this.#emit = emit;
    this.#outbox = new Outbox({
      send: (id, answer) => send(id, answer, true),
      delivered: (id, answer) => this.#delivered(id, answer),
      refused: (id, answer, error) => this.#refused(id, answer, error),
      fail: (error) => emit("error", { error }),
    });
  }

  /**
   * Take a request from the stream.
   * @param {Request} request
   * @returns {Promise<boolean>} false: nobody wants its answer, the message can be removed
   */
  async take(request) {
    const { id, tool, args = {}, replay = false } = request;
    const entry = this.#ledger.find(id);
    const isBusy = this.#running.has(id);
    const repeat = isBusy || (entry !== undefined && entry.status !== "running");
    // The server flags what it may have sent before; the ledger knows what came.
    this.#emit("request", { id, tool, args, replay: replay || entry !== undefined, repeat });
    if (entry?.status === "cancelled") return false;
    if (entry?.answer) {
      this.#emit("response", { id, tool, ...entry.answer, final: true, repeat: true });
      this.#outbox.put(id, entry.answer);
    } else if (!isBusy) {
      await this.#run(request, args, entry !== undefined);
    }
    return true;
  }

  /**
   * The guest has taken the request `id` back: also if it has not come yet, it will not be run.
   * @param {string} id
   */
  cancel(id) {
    if (this.#ledger.find(id)?.status === "answered") return;
    this.#ledger.set(id, { status: "cancelled" });
    this.#running.get(id)?.abort(new DOMException("The request was cancelled.", "AbortError"));
    this.#emit("cancel", { id });
  }

  /** Send what an earlier page of this tab could not. */
  resume() {
    for (const [id, answer] of this.#ledger.undelivered()) this.#outbox.put(id, answer);
  }

  /** The connection is back: try now. */
  wake() {
    this.#outbox.wake();
  }

  /** @param {string} reason */
  stop(reason) {
    this.#outbox.stop();
    for (const controller of this.#running.values()) controller.abort(new DOMException(reason, "AbortError"));
  }

  /**
   * @param {Request} request
   * @param {any} args
   * @param {boolean} restarted
   */
  async #run({ id, tool }, args, restarted) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(id, controller);
    this.#ledger.set(id, { status: "running" });
    const beganAt = performance.now();
    const progress = new Progress(
      (value) => this.#send(id, resultAnswer(value), false),
      (error) => this.#emit("error", { error }),
    );
    const answer = await this.#call(tool, args, {
      id,
      signal,
      restarted,
      progress: (value) => {
        if (signal.aborted || !this.#running.has(id)) return;
        progress.report(value);
        this.#emit("response", { id, tool, result: value, final: false });
      },
    });
    this.#running.delete(id);
    if (signal.aborted) return;
    this.#ledger.set(id, { status: "answered", answer });
    this.#emit("response", { id, tool, ...answer, final: true, durationMs: performance.now() - beganAt });
    await progress.close();
    this.#outbox.put(id, answer);
  }

  /**
   * @param {string} tool
   * @param {any} args
   * @param {import("./host.js").ToolContext} context
   */
  async #call(tool, args, context) {
    const handler = this.#handler(tool);
    if (!handler) return errorAnswer("unknown_tool", `This tab has no tool "${tool}".`);
    try {
      return resultAnswer(await handler(args, context));
    } catch (error) {
      return errorAnswer("tool_error", error);
    }
  }

  /**
   * @param {string} id
   * @param {Answer} answer
   */
  #delivered(id, answer) {
    this.#ledger.set(id, { status: "answered", answer, delivered: true });
    this.#emit("delivered", { id });
  }

  /**
   * The server will never take this answer: the guest must not wait for it in vain.
   * @param {string} id
   * @param {Answer} answer
   * @param {unknown} error
   */
  #refused(id, answer, error) {
    if (!isTransient(error)) this.#emit("error", { error });
    const instead = substitute(answer, error);
    if (!instead) return;
    this.#ledger.set(id, { status: "answered", answer: instead });
    this.#emit("response", { id, ...instead, final: true });
    this.#outbox.put(id, instead);
  }
}
