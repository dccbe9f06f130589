/** The card of a question that waits for the person's answer. */

import { el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

/**
 * @param {object} asked
 * @param {string} asked.question
 * @param {string[]} asked.choices none: the answer is typed
 * @param {() => void} begun the person has started to type
 * @param {(answer: string) => void} answered
 * @param {() => void} declined
 */
export function questionCard({ question, choices }, begun, answered, declined) {
  const input = el("input", { name: "answer", "aria-label": "Your answer", autocomplete: "off", maxlength: 1000, enterkeyhint: "send" });
  input.addEventListener("input", begun, { once: true });
  const choice = (/** @type {string} */ text) => el("button", { type: "button", onclick: () => answered(text) }, plain(text));
  const answer =
    choices.length > 0
      ? el("div", { class: "choices" }, ...choices.map(choice))
      : el("div", { class: "question-row" }, input, el("button", { class: "primary" }, "Answer"));
  const form = el(
    "form",
    { class: "approval question", "aria-labelledby": "approval-asker question-text", tabindex: -1 },
    el("p", { class: "hint", id: "approval-asker" }),
    el("p", { class: "question-text", id: "question-text" }, plain(question)),
    el("div", { class: "actions" }, answer, el("button", { type: "button", class: "quiet", onclick: declined }, "Decline")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim() !== "") answered(input.value.trim());
  });
  return form;
}
