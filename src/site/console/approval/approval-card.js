/** The card of one call that waits for a decision. */

import { el } from "../shared/dom.js";
import { pretty } from "../shared/format.js";
import { plain } from "../shared/plain.js";

/** Characters and lines of the arguments that are shown at first. */
const CHARS = 600;
const LINES = 10;

/** @typedef {import("../../waypost.js").ApprovalRequest} ApprovalRequest */
/** @typedef {import("../../waypost.js").Decision} Decision */

/**
 * @param {ApprovalRequest} request
 * @param {(decision: Decision) => void} decide
 */
export function approvalCard(request, decide) {
  const { tool, args, definition, replay, restarted } = request;
  /** @param {Decision} decision @param {string} kind @param {...(Node | string)} label */
  const button = (decision, kind, ...label) =>
    el("button", { type: "button", class: kind, onclick: () => decide(decision) }, ...label);
  const buttons = [
    button("once", "primary", "Allow once"),
    button("always", "", "Always allow ", el("code", {}, plain(tool))),
    button("refuse", "", "Refuse"),
  ];
  return el(
    "div",
    { class: "approval", role: "group", "aria-labelledby": "approval-what", tabindex: -1 },
    el("p", { class: "approval-what", id: "approval-what" }, el("span", { id: "approval-asker" }), " call ", el("code", {}, plain(tool)), "?"),
    el("p", { class: "hint" }, plain(`${definition.description ?? definition.title ?? ""}`)),
    seenBefore(replay, restarted),
    ...argumentText(args),
    el("div", { class: "actions" }, ...buttons),
  );
}

/** @param {boolean} replay @param {boolean} restarted */
function seenBefore(replay, restarted) {
  if (restarted) {
    const text = "You allowed this call before the page was reloaded. It had started, so part of its work may already be done.";
    return el("p", { class: "approval-again" }, text);
  }
  return replay && el("p", { class: "approval-again" }, "Asked again: this call arrived before the page was reloaded.");
}

/** @param {any} args */
function argumentText(args) {
  const text = plain(pretty(args));
  if (text === "{}") return [el("p", { class: "hint" }, "No arguments.")];
  const short = text.split("\n", LINES).join("\n").slice(0, CHARS);
  const shown = el("pre", { tabindex: 0, "aria-label": "Arguments" }, short);
  if (short === text) return [shown];
  shown.append("…");
  const more = el("button", { type: "button", class: "link", "aria-expanded": "false" }, `Show all ${text.length} characters`);
  more.addEventListener("click", () => {
    const isOpen = more.getAttribute("aria-expanded") === "true";
    shown.textContent = isOpen ? `${short}…` : text;
    more.setAttribute("aria-expanded", `${!isOpen}`);
    more.textContent = isOpen ? `Show all ${text.length} characters` : "Show less";
  });
  return [shown, more];
}
