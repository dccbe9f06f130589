/** Approvals: asks before a tool runs, and keeps which tools no longer need to be asked about. */

import { WaypostError } from "../errors.js";
import { storageKey } from "../storage/tab-storage.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */
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
 * @property {boolean} replay this tab may have received it before, for example before a reload
 * @property {boolean} restarted it was approved and begun before the page was reloaded; its effects may be there
 * @property {AbortSignal} signal aborted when no decision is needed any more: close the question
 */

/** Decides on a call. If it throws, the call is refused. @typedef {(request: ApprovalRequest) => Decision | Promise<Decision>} Approver */

/** @type {readonly unknown[]} */
const DECISIONS = ["once", "always", "refuse"];

export class Approvals {
  #key;
  #approver;
  #storage;
  #decided;
  #fail;
  /** Decisions that override the tools' own setting: whether each needs approval, by name. @type {Map<string, boolean>} */
  #required;
  /** Open questions, with the name of their tool. @type {Map<(decision: Decision) => void, string>} */
  #open = new Map();

  /**
   * @param {object} options
   * @param {string} options.memory the name of the session's
   * @param {StateStorage | null} options.storage
   * @param {Approver} [options.approver]
   * @param {(id: string, tool: string, decision: Decision) => void} options.decided called with each decision
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
   * Whether a call of `tool` needs approval. By default it does if there is an approver and the tool has no `readOnlyHint`.
   * @param {Tool} tool
   */
  isRequired({ definition, approve }) {
    const said = this.#required.get(definition.name);
    if (said !== undefined) return said;
    if (approve !== undefined) return approve !== false;
    return this.#approver !== undefined && definition.annotations?.readOnlyHint !== true;
  }

  /** Throws if `tool` has no approver: a missing approver must not mean yes. @param {Tool} tool */
  requireApprover({ definition, approve }) {
    if (typeof approve === "function" || this.#approver) return;
    throw new WaypostError("no_approver", `Calls of ${definition.name} have no approver: pass one to the Host.`);
  }

  /** Sets whether calls of `tool` need approval, from now on. @param {Tool} tool @param {boolean} isRequired */
  setRequired(tool, isRequired) {
    if (isRequired) this.requireApprover(tool);
    this.#required.set(tool.definition.name, isRequired);
    this.#store([...this.#required]);
  }

  /**
   * Asks the approver whether a call may run.
   * @param {Tool} tool
   * @param {Omit<ApprovalRequest, "tool" | "definition">} call its signal aborts when the request is cancelled
   * @param {() => void} waits called if the decision is not immediate
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

  /** Deletes all decisions: the session is over. */
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
      throw new WaypostError("bad_decision", `An approver must return "once", "always" or "refuse", not ${decision}.`);
    } catch (error) {
      if (!request.signal.aborted) this.#fail(error);
      return "refuse";
    }
  }

  /** Applies `always`, also to the calls that already wait. @param {Tool} tool */
  #allow(tool) {
    this.setRequired(tool, false);
    for (const [close, name] of [...this.#open]) if (name === tool.definition.name) close("once");
  }

  /** @param {[string, boolean][]} required */
  #store(required) {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(required));
    } catch (error) {
      this.#fail(error);
      // An `always` that was withdrawn must not come back with a reload. What needs approval is kept if it fits.
      this.#storage?.removeItem(this.#key);
      const needed = required.filter(([, isRequired]) => isRequired);
      if (needed.length < required.length) this.#store(needed);
    }
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
