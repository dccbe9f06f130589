/** Runs each request once. A repeat gets the first answer; a running request is not started again. */

import { errorAnswer, resultAnswer, substitute } from "./tool-answer.js";
import { isTransient } from "../errors.js";
import { NOT_REMEMBERED } from "../storage/replay-guard.js";
import { Outbox } from "./outbox.js";
import { ProgressSender } from "./progress-sender.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */
/** @typedef {import("../storage/request-store.js").AnswerError} AnswerError */
/** @typedef {import("../storage/request-store.js").RequestStore} RequestStore */
/** @typedef {import("./host-events.js").HostEvents} HostEvents */
/** @typedef {import("./tool-registry.js").Tool} Tool */

/**
 * `restarted`: another host may have begun it. `refusal`: the error to answer with instead of running it; nothing is stored.
 * @typedef {{ id: string, cursor: string, tool: string, args?: any, replay?: boolean, restarted?: boolean,
 *   refusal?: AnswerError, traceparent?: string, tracestate?: string }} Request
 */
/**
 * The request that an answer is for. `isUnstored`: the answer is not stored, so the same request may still run.
 * @typedef {import("../crypto/cipher.js").Call & { refusal?: AnswerError, isUnstored?: boolean,
 *   traceparent?: string, tracestate?: string }} AnsweredCall
 */

/** The progress that a guest gets while a call waits for approval. In MCP, progress must grow: a tool's own starts above 0. */
const WAITING = { progress: 0, message: "Waiting for approval." };

/** The largest progress report that the server accepts, less some room for its request. */
const MAX_PROGRESS_BYTES = 250 * 1024;

/**
 * The progress after an approval, so that no guest is told for minutes that the call still waits. A tool that is quick, or
 * reports its own progress, costs no message for it.
 */
const RUNNING = { progress: 0, message: "Running." };
const RUNNING_AFTER_MS = 3000;

/** @type {AnswerError} */
const REFUSED = { code: "refused", message: "The person at the tab has refused this call." };

/**
 * @typedef {object} RunnerOptions
 * @property {RequestStore} requests
 * @property {import("./tool-registry.js").ToolRegistry} tools
 * @property {import("./approvals.js").Approvals} approvals asked before each run
 * @property {import("../crypto/host-wire.js").Wire} wire asked before a request is run for the first time
 * @property {(call: AnsweredCall, answer: Answer, final: boolean) => Promise<unknown>} send
 * @property {<Type extends keyof HostEvents>(type: Type, detail: HostEvents[Type]) => void} emit
 */

export class Runner {
  #requests;
  #tools;
  #approvals;
  #wire;
  #send;
  #emit;
  #outbox;
  #stopped = false;
  /** Another host has taken over: nothing begins here. Called when nothing is running any more. @type {(() => void) | null} */
  #finished = null;
  /** Calls that wait for a decision: nothing of them has begun. @type {Set<string>} */
  #undecided = new Set();
  /** Handlers at work in this page. @type {Map<string, AbortController>} */
  #running = new Map();

  /** @param {RunnerOptions} options */
  constructor({ requests, tools, approvals, wire, send, emit }) {
    this.#requests = requests;
    this.#tools = tools;
    this.#approvals = approvals;
    this.#wire = wire;
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
   * Handles a request from the stream.
   * @param {Request} request
   * @returns {Promise<boolean>} false: the request was cancelled, and its message can be removed
   */
  async take(request) {
    const { id, tool, args = {}, replay = false, refusal } = request;
    // The session may have ended during decryption.
    if (this.#stopped || this.#finished) return true;
    const entry = this.#requests.find(id);
    const isBusy = this.#running.has(id);
    const repeat = isBusy || (entry !== undefined && entry.status !== "running");
    // The server flags what it may have sent before; the request store knows what arrived.
    this.#emit("request", { id, tool, args, replay: replay || entry !== undefined, repeat });
    if (entry?.status === "cancelled") return false;
    // Its answer was delivered, and was too large to keep.
    if (entry?.status === "answered" && !entry.answer) return false;
    if (entry?.answer) {
      this.#emit("response", { id, tool, ...entry.answer, final: true, repeat: true });
      this.#outbox.put({ id, tool: entry.tool ?? tool }, entry.answer);
    } else if (!isBusy && refusal) {
      this.#emit("response", { id, tool, error: refusal, final: true });
      this.#outbox.put({ id, tool, refusal, isUnstored: true }, { error: refusal });
    } else if (!isBusy) {
      await this.#run(request, args, { isKnown: entry !== undefined });
    }
    return true;
  }

  /**
   * Cancels the request `id` for the guest. A request that arrives after its cancellation does not run either.
   * @param {string} id
   */
  cancel(id) {
    if (this.#requests.find(id)?.status === "answered") return;
    this.#requests.set(id, { status: "cancelled" });
    this.#running.get(id)?.abort(new DOMException("The request was cancelled.", "AbortError"));
    this.#emit("cancel", { id });
  }

  /**
   * Begins nothing any more, because another host has taken over. What is running goes on to its end.
   * @param {() => void} finished called when its last answer has been delivered
   */
  finish(finished) {
    this.#finished = finished;
    const reason = new DOMException("Another host has taken over.", "AbortError");
    for (const id of this.#undecided) this.#running.get(id)?.abort(reason);
    queueMicrotask(() => this.#settle());
  }

  /** Takes requests, and sends the answers that an earlier page of this tab could not deliver. */
  resume() {
    this.#finished = null;
    for (const [call, answer] of this.#requests.undelivered()) this.#outbox.put(call, answer);
  }

  /** Retries now: the connection is back. */
  wake() {
    this.#outbox.hasten();
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
   * @param {{ isKnown: boolean }} before whether it was begun in this tab
   */
  async #run({ id, tool, replay = false, restarted: isTakenOver = false, traceparent, tracestate }, args, { isKnown }) {
    const restarted = isKnown || isTakenOver;
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(id, controller);
    const progress = new ProgressSender(
      async (value) => this.#send({ id, tool, traceparent, tracestate }, await resultAnswer(value, MAX_PROGRESS_BYTES), false),
      (error) => this.#emit("error", { error }),
    );
    /** @param {unknown} value */
    const report = (value) => {
      if (signal.aborted || !this.#running.has(id)) return;
      progress.report(value);
      this.#emit("response", { id, tool, result: value, final: false });
    };
    const found = this.#tools.find(tool);
    let hasWaited = false;
    let error = isKnown ? null : this.#wire.refusal(id);
    if (!error && found && this.#approvals.isRequired(found)) {
      // Nothing is stored before the decision, so that a reload asks again.
      const asked = { id, args, replay, restarted, signal };
      const wait = () => {
        hasWaited = true;
        report(WAITING);
      };
      this.#undecided.add(id);
      if (!(await this.#approvals.decide(found, asked, wait))) error = REFUSED;
      this.#undecided.delete(id);
    }
    if (signal.aborted) {
      this.#running.delete(id);
      return this.#settle();
    }
    if (!error && !isKnown) error = this.#wire.admit(id);
    const isUnstored = error === NOT_REMEMBERED;
    if (!isUnstored) this.#requests.set(id, { status: "running", tool });
    const writing = error ? null : this.#requests.written();
    if (writing) error = await this.#notKept(writing);
    if (writing && signal.aborted) {
      this.#running.delete(id);
      return this.#settle();
    }
    const beganAt = performance.now();
    const news = hasWaited && !error ? setTimeout(report, RUNNING_AFTER_MS, RUNNING) : undefined;
    /** @param {unknown} value */
    const reportOwn = (value) => {
      clearTimeout(news);
      report(value);
    };
    const context = { id, signal, restarted, progress: reportOwn, traceparent, tracestate };
    const answer = error ? { error } : await this.#call(found, tool, args, context);
    clearTimeout(news);
    const took = error ? {} : { durationMs: performance.now() - beganAt };
    this.#running.delete(id);
    if (signal.aborted) return this.#settle();
    if (!isUnstored) this.#requests.set(id, { status: "answered", tool, answer });
    this.#emit("response", { id, tool, ...answer, final: true, ...took });
    await progress.close();
    const keeping = isUnstored ? null : this.#requests.written();
    if (keeping) await this.#notKept(keeping);
    this.#outbox.put({ id, tool, isUnstored, traceparent, tracestate }, answer);
  }

  /**
   * Waits for a storage that writes later: what a crash made it forget would run again.
   * @param {Promise<void>} writing
   * @returns {Promise<AnswerError | null>} the error to answer with, in an encrypted session whose request is not kept
   */
  async #notKept(writing) {
    try {
      await writing;
      return null;
    } catch (error) {
      this.#emit("error", { error });
      return this.#wire.isEncrypted ? NOT_REMEMBERED : null;
    }
  }

  /**
   * @param {Tool | undefined} found
   * @param {string} tool
   * @param {any} args
   * @param {import("./tool-registry.js").ToolContext} context
   */
  async #call(found, tool, args, context) {
    if (!found && context.restarted) {
      const message = `This call ran when the page was left or reloaded, and may have taken effect. The page has no tool "${tool}" now.`;
      return errorAnswer("interrupted", message);
    }
    if (!found) return errorAnswer("unknown_tool", `This tab has no tool "${tool}".`);
    try {
      return await resultAnswer(await found.handler(args, context), this.#wire.maxResultBytes);
    } catch (error) {
      return errorAnswer("tool_error", error);
    }
  }

  /**
   * @param {AnsweredCall} call
   * @param {Answer} answer
   */
  #delivered({ id, tool, isUnstored }, answer) {
    if (!isUnstored) this.#requests.set(id, { status: "answered", tool, answer, delivered: true });
    this.#emit("delivered", { id });
    this.#settle();
  }

  #settle() {
    if (this.#finished && this.#running.size === 0 && this.#outbox.isEmpty) this.#finished();
  }

  /**
   * Replaces an answer that the server will never accept, so that the guest does not wait in vain.
   * @param {AnsweredCall} call
   * @param {Answer} answer
   * @param {unknown} error
   */
  #refused({ id, tool, isUnstored }, answer, error) {
    if (!isTransient(error)) this.#emit("error", { error });
    const instead = substitute(answer, error);
    if (!instead || isUnstored) return this.#settle();
    this.#requests.set(id, { status: "answered", tool, answer: instead });
    this.#emit("response", { id, tool, ...instead, final: true });
    this.#outbox.put({ id, tool }, instead);
  }
}
