/** `ask_person`: asks the person at the tab, and waits for their answer. */

import { startWaiting, stopWaiting } from "../approval/waiting-calls.js";
import { byId, el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

export const askTool = {
  definition: {
    name: "ask_person",
    title: "Ask the person at this tab",
    description: "Ask the person at this tab a question and wait for their answer. Reports progress when the question is shown and when they start typing.",
    inputSchema: {
      type: "object",
      properties: {
        question: { type: "string", minLength: 1, maxLength: 400, description: "The question" },
        choices: { type: "array", items: { type: "string" }, maxItems: 6, description: "Answers to choose from, as a JSON list of strings" },
      },
      required: ["question"],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true },
  },

  /**
   * @param {{ question: string, choices?: string[] }} args
   * @param {import("../../waypost.js").ToolContext} context
   */
  async handler({ question, choices = [] }, { id, signal, progress }) {
    if (typeof question !== "string" || question === "") throw new TypeError("question must be a non-empty string.");
    if (!Array.isArray(choices)) throw new TypeError("choices must be a list.");
    const beganAt = Date.now();
    progress({ progress: 1, total: 3, message: "The question is on the page." });
    startWaiting(id);
    const typing = () => progress({ progress: 2, total: 3, message: "The person is typing." });
    const answer = await ask(question, choices.slice(0, 6).map(String), signal, typing).finally(() => stopWaiting(id));
    return { answer, seconds: Math.round((Date.now() - beganAt) / 1000) };
  },
};

/**
 * @param {string} question
 * @param {string[]} choices
 * @param {AbortSignal} signal
 * @param {() => void} begun they have started to answer
 * @returns {Promise<string>} rejects if they decline
 */
function ask(question, choices, signal, begun) {
  return new Promise((resolve, reject) => {
    const input = el("input", { name: "answer", "aria-label": "Your answer", autocomplete: "off", maxlength: 1000 });
    input.addEventListener("input", begun, { once: true });
    const form = el(
      "form",
      { class: "question", "aria-label": "A question for you" },
      el("p", { class: "question-text" }, plain(question)),
      choices.length > 0
        ? el("div", { class: "choices" }, ...choices.map((choice) => el("button", { type: "button", onclick: () => close(() => resolve(choice)) }, plain(choice))))
        : el("div", { class: "question-row" }, input, el("button", { class: "primary" }, "Answer")),
      el("button", { type: "button", class: "link", onclick: () => close(() => reject(new Error("The person declined to answer."))) }, "Decline"),
    );
    /** @param {() => void} settle */
    function close(settle) {
      form.remove();
      settle();
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim() !== "") close(() => resolve(input.value.trim()));
    });
    signal.addEventListener("abort", () => close(() => reject(signal.reason)), { once: true });
    byId("questions").append(form);
  });
}
