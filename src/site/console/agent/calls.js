/** The agent's calls: one card each, from waiting to the answer. */

import { newId } from "../../client/ids.js";
import { CallTimeout, DecryptionError, ToolError } from "../../waypost.js";
import { endOwnCall, ownCall } from "../approval/own-calls.js";
import { codeView } from "./code-view.js";
import { dailyLimit } from "../daily-limit.js";
import { byId, el, showPill } from "../shared/dom.js";
import { duration, inline } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { ProgressLine } from "../shared/progress-line.js";
import { valueView } from "../shared/value-view.js";
import { forgetCall, keepCall, keptCalls } from "./running-calls.js";

/** Cards kept on the page. */
const MAX_CARDS = 20;

/** Long, because a person may be asked, and be away. */
const TIMEOUT_MS = 15 * 60_000;

/** @typedef {import("../../waypost.js").Guest} Guest */

export class Calls {
  #tab;
  /** The ids of those that this page waits for. @type {Set<string>} */
  #running = new Set();

  /** @param {{ code: string | null }} tab this page's own */
  constructor(tab) {
    this.#tab = tab;
  }

  /** Goes on with the calls that had no answer when the page was reloaded. @param {Guest} guest */
  resume(guest) {
    for (const { id, tool, args } of keptCalls(guest.code)) if (!this.#running.has(id)) this.start(guest, tool, args, id);
  }

  /**
   * Calls `tool` and shows its progress and answer.
   * @param {Guest} guest
   * @param {string} tool
   * @param {Record<string, unknown>} args
   * @param {string} [known] the id of a call that goes on after a reload
   */
  async start(guest, tool, args, known) {
    const card = new Card(tool, args, codeView({ origin: location.origin, code: guest.code, tool, args, isEncrypted: guest.encrypted }));
    byId("calls-title").hidden = false;
    byId("calls").prepend(card.element);
    while (byId("calls").childElementCount > MAX_CARDS) byId("calls").lastElementChild?.remove();
    const beganAt = performance.now();
    const { code } = guest;
    // The button is the approval for a call to this page's own tab. The host of another session learns the id of a call.
    const id = known ?? (code === this.#tab.code ? ownCall({ code, tool, args }) : newId());
    // What is encrypted on its way is not written down.
    if (!guest.encrypted) keepCall({ code, id, tool, args });
    this.#running.add(id);
    const took = () => duration(performance.now() - beganAt);
    try {
      const { signal } = card;
      const onProgress = (/** @type {unknown} */ value) => card.showProgress(value);
      const result = await guest.call(tool, args, { id, timeout: TIMEOUT_MS, signal, onProgress });
      card.close(`Answered in ${took()}`, "good", result);
    } catch (error) {
      dailyLimit.heard(error);
      if (card.signal.aborted) card.close(`Cancelled after ${took()}`, "warn");
      else if (error instanceof ToolError && error.code === "refused") card.close(`Refused by the person after ${took()}`, "warn");
      else if (error instanceof ToolError) card.close(`Error after ${took()}`, "bad", withoutStack(error));
      else if (error instanceof DecryptionError) card.close("Could not be decrypted", "bad", error.message);
      else if (error instanceof CallTimeout) card.close(error.message, "warn");
      else card.close("Failed", "bad", error instanceof Error ? error.message : String(error));
    } finally {
      endOwnCall(id);
      forgetCall(id);
      this.#running.delete(id);
    }
  }
}

/** One call on the page. */
class Card {
  #controller = new AbortController();
  #pill = el("span", { class: "pill" });
  #progress = new ProgressLine();
  #code;
  #cancel = el("button", { type: "button", class: "quiet" }, "Cancel");

  /**
   * @param {string} tool
   * @param {Record<string, unknown>} args
   * @param {HTMLElement} code
   */
  constructor(tool, args, code) {
    this.#code = code;
    showPill(this.#pill, "Waiting", "busy");
    this.#cancel.setAttribute("aria-label", `Cancel ${tool}`);
    this.#cancel.addEventListener("click", () => {
      this.#cancel.disabled = true;
      showPill(this.#pill, "Cancelling", "busy");
      this.#controller.abort();
    });
    this.element = el(
      "li",
      { class: "call-card" },
      el("p", { class: "call-head" }, el("code", {}, plain(tool)), this.#pill, this.#cancel),
      el("p", { class: "payload" }, plain(inline(args))),
      ...this.#progress.elements,
      code,
    );
  }

  get signal() {
    return this.#controller.signal;
  }

  /** @param {unknown} value */
  showProgress(value) {
    this.#progress.show(value);
  }

  /**
   * @param {string} status
   * @param {"good" | "warn" | "bad"} kind
   * @param {unknown} [answer]
   */
  close(status, kind, answer) {
    showPill(this.#pill, status, kind);
    this.#cancel.remove();
    this.#progress.remove();
    if (answer !== undefined) this.#code.before(valueView(answer, "Answer"));
  }
}

/** @param {ToolError} error */
function withoutStack({ code, message, data }) {
  return data === undefined ? { code, message } : { code, message, data };
}
