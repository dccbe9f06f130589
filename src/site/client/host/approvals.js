/** Asks before a tool is run, where its page wants that, and remembers what need not be asked again. */

import { WaypostError } from "../errors.js";
import { storageKey } from "../storage/tab-storage.js";

/** @typedef {import("./tool-registry.js").Tool} Tool */
/** @typedef {import("./tool-registry.js").ToolDefinition} ToolDefinition */

/**
 * `once`: this call; `always`: this one and all later ones of its tool, as long as the session and the tab last; `refuse`:
 * not this one.
 * @typedef {"once" | "always" | "refuse"} Decision
 */

/**
 * A call that waits for a decision.
 * @typedef {object} ApprovalRequest
 * @property {string} id the request's
 * @property {string} tool
 * @property {any} args
 * @property {ToolDefinition} definition
 * @property {boolean} replay this tab may have had it before, for example before a reload
 * @property {boolean} restarted it was approved and begun before the page was reloaded; its effects may be there
 * @property {AbortSignal} signal aborted as soon as there is nothing to decide any more: close the question
 */

/** Decides on a call; what it throws is a refusal. @typedef {(request: ApprovalRequest) => Decision | Promise<Decision>} Approver */

/** @type {readonly unknown[]} */
const DECISIONS = ["once", "always", "refuse"];

export class Approvals {
  #key;
  #approver;
  #storage;
  #decided;
  #fail;
  /** What has been said about tools since they were registered: whether each is asked about. @type {Map<string, boolean>} */
  #required;
  /** Questions that are open, by their tool. @type {Map<(decision: Decision) => void, string>} */
  #open = new Map();

  /**
   * @param {object} options
   * @param {string} options.memory the name of the session's
   * @param {Storage | null} options.storage
   * @param {Approver} [options.approver]
   * @param {(id: string, tool: string, decision: Decision) => void} options.decided told of each decision
   * @param {(error: unknown) => void} options.fail
   */
  constructor({ memory, storage, approver, decided, fail }) {
    this.#key = storageKey("approvals", memory);
    this.#storage = storage;
    this.#approver = approver;
    this.#decided = decided;
    this.#fail = fail;
    this.#required = this.#load();
  }

  /**
   * Whether a call of `tool` is asked about. Where nothing was said: if there is somebody to ask, and the tool does not
   * say of itself that it only reads.
   * @param {Tool} tool
   */
  isRequired({ definition, approve }) {
    const said = this.#required.get(definition.name);
    if (said !== undefined) return said;
    if (approve !== undefined) return approve !== false;
    return this.#approver !== undefined && definition.annotations?.readOnlyHint !== true;
  }

  /** There must be somebody to ask: nobody is not taken for a yes. @param {Tool} tool */
  requireApprover({ definition, approve }) {
    if (typeof approve === "function" || this.#approver) return;
    throw new WaypostError("no_approver", `Nobody could approve calls of ${definition.name}: give the Host an approver.`);
  }

  /** From now on, ask about calls of `tool`, or don't. @param {Tool} tool @param {boolean} isRequired */
  setRequired(tool, isRequired) {
    if (isRequired) this.requireApprover(tool);
    this.#required.set(tool.definition.name, isRequired);
    try {
      this.#storage?.setItem(this.#key, JSON.stringify([...this.#required]));
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Have somebody decide whether a call is run.
   * @param {Tool} tool
   * @param {Omit<ApprovalRequest, "tool" | "definition">} call its signal: nobody waits any more
   * @param {() => void} waits called if the decision does not come at once
   * @returns {Promise<boolean>}
   */
  decide(tool, call, waits) {
    const { definition, approve } = tool;
    const { name } = definition;
    const approver = typeof approve === "function" ? approve : this.#approver;
    const question = new AbortController();
    return new Promise((resolve) => {
      const close = (/** @type {Decision} */ decision) => {
        if (!this.#open.delete(close)) return;
        call.signal.removeEventListener("abort", giveUp);
        resolve(decision !== "refuse");
        question.abort(new DOMException("There is nothing to decide any more.", "AbortError"));
        if (call.signal.aborted) return;
        if (decision === "always") this.#allow(tool);
        this.#decided(call.id, name, decision);
      };
      const giveUp = () => close("refuse");
      this.#open.set(close, name);
      call.signal.addEventListener("abort", giveUp);
      this.#ask(approver, { ...call, tool: name, definition, signal: question.signal }, waits).then(close);
    });
  }

  /** Forget all: the session is over. */
  clear() {
    this.#required.clear();
    this.#storage?.removeItem(this.#key);
  }

  /**
   * @param {Approver | undefined} approver
   * @param {ApprovalRequest} request
   * @param {() => void} waits
   * @returns {Promise<Decision>}
   */
  async #ask(approver, request, waits) {
    try {
      const said = approver?.(request);
      if (said instanceof Promise) waits();
      const decision = await said;
      if (DECISIONS.includes(decision)) return /** @type {Decision} */ (decision);
      throw new WaypostError("bad_decision", `An approver says "once", "always" or "refuse", not ${decision}.`);
    } catch (error) {
      if (!request.signal.aborted) this.#fail(error);
      return "refuse";
    }
  }

  /** Somebody has said `always`: that holds for the calls that wait as well. @param {Tool} tool */
  #allow(tool) {
    this.setRequired(tool, false);
    for (const [close, name] of [...this.#open]) if (name === tool.definition.name) close("once");
  }

  /** @returns {Map<string, boolean>} */
  #load() {
    try {
      return new Map(JSON.parse(this.#storage?.getItem(this.#key) ?? "[]"));
    } catch (error) {
      this.#fail(error);
      return new Map();
    }
  }
}
