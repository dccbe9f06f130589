/** Runs each request once: a repeat gets the first answer, one that is still running is left alone. */

import { errorAnswer, resultAnswer, substitute } from "./answer.js";
import { isTransient } from "./errors.js";
import { Outbox } from "./outbox.js";
import { Progress } from "./progress.js";

/** @typedef {import("./ledger.js").Answer} Answer */
/** @typedef {import("./ledger.js").AnswerError} AnswerError */
/** @typedef {import("./ledger.js").Ledger} Ledger */
/** @typedef {import("./host.js").HostEvents} HostEvents */
/** @typedef {import("./host.js").ToolHandler} ToolHandler */

/**
 * `refusal`: it can't be run, and this is what to answer; it leaves no trace in the ledger.
 * @typedef {{ id: string, cursor: string, tool: string, args?: any, replay?: boolean, refusal?: AnswerError }} Request
 */
/** The request that an answer is for. @typedef {import("./cipher.js").Call & { refusal?: AnswerError }} Asked */

/**
 * @typedef {object} RunnerOptions
 * @property {Ledger} ledger
 * @property {(tool: string) => ToolHandler | undefined} handler
 * @property {(id: string) => AnswerError | null} admit asked before a request is run for the first time; what to answer instead
 * @property {(call: Asked, answer: Answer, final: boolean) => Promise<unknown>} send
 * @property {<Type extends keyof HostEvents>(type: Type, detail: HostEvents[Type]) => void} emit
 */

export class Runner {
  #ledger;
  #handler;
  #admit;
  #send;
  #emit;
  #outbox;
  #stopped = false;
  /** Handlers at work in this page. @type {Map<string, AbortController>} */
  #running = new Map();

  /** @param {RunnerOptions} options */
  constructor({ ledger, handler, admit, send, emit }) {
    this.#ledger = ledger;
    this.#handler = handler;
    this.#admit = admit;
    this.#send = send;
    this.#emit = emit;
    this.#outbox = new Outbox({
      send: (call, answer) => send(call, answer, true),
      delivered: (call, answer) => this.#delivered(call, answer),
      refused: (call, answer, error) => this.#refused(call, answer, error),
      fail: (error) => emit("error", { error }),
    });
  }

  /**
   * Take a request from the stream.
   * @param {Request} request
   * @returns {Promise<boolean>} false: nobody wants its answer, the message can be removed
   */
  async take(request) {
    const { id, tool, args = {}, replay = false, refusal } = request;
    // Opening it may have taken until after the end.
    if (this.#stopped) return true;
    const entry = this.#ledger.find(id);
    const isBusy = this.#running.has(id);
    const repeat = isBusy || (entry !== undefined && entry.status !== "running");
    // The server flags what it may have sent before; the ledger knows what came.
    this.#emit("request", { id, tool, args, replay: replay || entry !== undefined, repeat });
    if (entry?.status === "cancelled") return false;
    if (entry?.answer) {
      this.#emit("response", { id, tool, ...entry.answer, final: true, repeat: true });
      this.#outbox.put({ id, tool: entry.tool ?? tool }, entry.answer);
    } else if (!isBusy && refusal) {
      this.#emit("response", { id, tool, error: refusal, final: true });
      this.#outbox.put({ id, tool, refusal }, { error: refusal });
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
    for (const [call, answer] of this.#ledger.undelivered()) this.#outbox.put(call, answer);
  }

  /** The connection is back: try now. */
  wake() {
    this.#outbox.wake();
  }

  /** @param {string} reason */
  stop(reason) {
    this.#stopped = true;
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
    this.#ledger.set(id, { status: "running", tool });
    const error = restarted ? null : this.#admit(id);
    const beganAt = performance.now();
    const progress = new Progress(
      (value) => this.#send({ id, tool }, resultAnswer(value), false),
      (error) => this.#emit("error", { error }),
    );
    /** @param {unknown} value */
    const report = (value) => {
      if (signal.aborted || !this.#running.has(id)) return;
      progress.report(value);
      this.#emit("response", { id, tool, result: value, final: false });
    };
    const answer = error ? { error } : await this.#call(tool, args, { id, signal, restarted, progress: report });
    this.#running.delete(id);
    if (signal.aborted) return;
    this.#ledger.set(id, { status: "answered", tool, answer });
    this.#emit("response", { id, tool, ...answer, final: true, durationMs: performance.now() - beganAt });
    await progress.close();
    this.#outbox.put({ id, tool }, answer);
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
   * @param {Asked} call
   * @param {Answer} answer
   */
  #delivered({ id, tool, refusal }, answer) {
    if (!refusal) this.#ledger.set(id, { status: "answered", tool, answer, delivered: true });
    this.#emit("delivered", { id });
  }

  /**
   * The server will never take this answer: the guest must not wait for it in vain.
   * @param {Asked} call
   * @param {Answer} answer
   * @param {unknown} error
   */
  #refused({ id, tool, refusal }, answer, error) {
    if (!isTransient(error)) this.#emit("error", { error });
    const instead = substitute(answer, error);
    if (!instead || refusal) return;
    this.#ledger.set(id, { status: "answered", tool, answer: instead });
    this.#emit("response", { id, tool, ...instead, final: true });
    this.#outbox.put({ id, tool }, instead);
  }
}
