/** The examples of an operation: commands in the reader's language. */

import { copies, el } from "../console/shared/dom.js";
import { isStream } from "./commands/command.js";
import { LANGUAGES, snippets } from "./commands/languages.js";
import { sending } from "./send.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./commands/command.js").Call} Call */
/** @typedef {import("./commands/languages.js").Language} Language */
/** @typedef {import("./choices.js").Choices} Choices */

/**
 * @param {Operation} operation
 * @param {Call[]} calls
 * @param {Choices} choices
 * @param {Record<string, string>} meanings of problem codes
 */
export function examples(operation, calls, choices, meanings) {
  const list = el("div");
  const buttons = languageButtons(choices);
  const texts = () => snippets(choices.language, operation, calls, location.origin, choices.values);
  const build = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", `${button.dataset.language === choices.language}`);
    list.replaceChildren(
      ...texts().map(({ call, language }, at) => {
        const isCall = language !== "client" && !isStream(operation, call);
        const sent = isCall ? sending(operation, call, choices, meanings) : null;
        const title = language === "client" ? "" : call.title[0].toUpperCase() + call.title.slice(1);
        const figure = snippet(title, () => texts()[at].text, `${LANGUAGES[language]}: ${title || operation.operationId}`, sent?.button);
        if (sent) figure.append(sent.output);
        return figure;
      }),
    );
    if (choices.language === "client" && texts()[0]?.language === "fetch") list.prepend(el("p", { class: "hint" }, "waypost.js has no call for this. With fetch:"));
  };
  build();
  choices.addEventListener("language", build);
  choices.addEventListener("values", () => {
    list.querySelectorAll("pre[data-command]").forEach((block, at) => (block.textContent = texts()[at].text));
  });
  return [el("div", { class: "examples-head" }, el("h3", {}, "Examples"), el("div", { class: "languages", role: "group", "aria-label": "Language" }, ...buttons)), list];
}

/** @param {Choices} choices */
function languageButtons(choices) {
  return Object.entries(LANGUAGES).map(([language, name]) => {
    const choose = () => (choices.language = /** @type {Language} */ (language));
    return el("button", { type: "button", class: "quiet", "data-language": language, onclick: choose }, name);
  });
}

/**
 * @param {string} title
 * @param {() => string} text
 * @param {string} label
 * @param {HTMLElement} [more] a button
 */
function snippet(title, text, label, more) {
  const button = el("button", { type: "button", class: "quiet", "aria-label": `Copy: ${label}` }, "Copy");
  copies(button, text);
  return el(
    "figure",
    { class: "example" },
    el("figcaption", {}, el("span", {}, title), more, button),
    el("pre", { class: "snippet", tabindex: "0", "aria-label": label, "data-command": true }, text()),
  );
}

/**
 * What a reply says.
 * @param {string} title
 * @param {unknown} value
 */
export function replyExample(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const figure = snippet(title, () => text, `Example: ${title}`);
  figure.querySelector("pre")?.removeAttribute("data-command");
  return figure;
}
