/** `ask_person`: asks the person at the tab, and waits for their answer. */

import { isChatCall } from "../approval/chat-calls.js";
import { questionCard } from "../approval/question-card.js";
import { waitingPanel } from "../approval/waiting-panel.js";
import { toast } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

/** @typedef {{ question: string, choices?: string[] }} Arguments */

export const askTool = {
  definition: {
    name: "ask_person",
    title: "Ask the person at this tab",
    description: "Ask the person at this tab a question and wait for their answer. Reports progress when the question is shown and when they start typing.",
    inputSchema: {
      type: "object",
      properties: {
        question: { type: "string", minLength: 1, maxLength: 400, description: "The question" },
        choices: { type: "array", items: { type: "string" }, maxItems: 6, description: "Answers to choose from; without them, the person types" },
      },
      required: ["question"],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true },
  },

  /**
   * @param {Arguments} args
   * @param {import("../../waypost.js").ToolContext} context
   */
  async handler(args, { id, signal, progress }) {
    const { question, choices = [] } = args;
    if (typeof question !== "string" || question === "") throw new TypeError("question must be a non-empty string.");
    if (!Array.isArray(choices)) throw new TypeError("choices must be a list.");
    const beganAt = Date.now();
    progress({ progress: 1, total: 3, message: "The question is on the page." });
    const typing = () => progress({ progress: 2, total: 3, message: "The person is typing." });
    const asker = () => (isChatCall({ id, tool: "ask_person", args }) ? "This chat asks you:" : "An agent asks you:");
    const answer = await ask({ id, asker, question, choices: choices.slice(0, 6).map(String) }, signal, typing);
    return { answer, seconds: Math.round((Date.now() - beganAt) / 1000) };
  },
};

/**
 * @param {{ id: string, asker: () => string, question: string, choices: string[] }} asked
 * @param {AbortSignal} signal
 * @param {() => void} begun the person has started to type
 * @returns {Promise<string>} rejects if they decline
 */
function ask({ id, asker, question, choices }, signal, begun) {
  return new Promise((resolve, reject) => {
    const close = (/** @type {() => void} */ settle) => void (waitingPanel.remove(matter) && settle());
    const decline = () => close(() => reject(new Error("The person declined to answer.")));
    // Kept while another card is shown: it holds what the person has typed.
    const form = questionCard({ question, choices }, begun, (answer) => close(() => resolve(answer)), decline);
    const news = () => `${asker()} ${plain(question)}`;
    const matter = { id, name: "ask_person", detail: question, asker, news, card: () => form, decline };
    signal.addEventListener("abort", () => {
      if (waitingPanel.isShown(matter)) toast("The question no longer needs an answer.");
      close(() => reject(signal.reason));
    });
    waitingPanel.add(matter);
  });
}
