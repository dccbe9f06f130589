/** What the panel says before anything is shared. */

import { el } from "../console/shared/dom.js";
import { plain } from "../console/shared/plain.js";

/** @typedef {import("../client/host/tool-registry.js").ToolDefinition} ToolDefinition */
/** @typedef {import("./options.js").Approve} Approve */

const ASKED = {
  writes: "You are asked before a call that may change something.",
  always: "You are asked before every call.",
  never: "This page does not ask you before a call.",
};

/**
 * @param {ToolDefinition[]} tools
 * @param {Approve} approve
 * @param {string | null} reason why nothing is shared any more
 * @param {() => void} share
 */
export function introduction(tools, approve, reason, share) {
  const [count, it] = tools.length === 1 ? ["1 tool", "it"] : [`${tools.length} tools`, "them"];
  const button = el("button", { type: "button", class: "primary", onclick: share, disabled: tools.length === 0 }, "Share this page’s tools");
  return [
    reason && el("p", { class: "banner", role: "alert" }, reason),
    el("p", {}, tools.length === 0 ? "This page has no tools for agents now." : `This page has ${count} for AI agents. Share ${it}, and an agent with the code can call ${it} in this tab.`),
    el("p", { class: "hint" }, `${ASKED[approve]} Sharing ends when you stop it or close the tab.`),
    toolList(tools, []),
    el("div", { class: "actions" }, button),
  ].filter((part) => part !== null);
}

/**
 * @param {ToolDefinition[]} tools
 * @param {{ name: string, reason: string }[]} refused
 * @param {(name: string) => Node | null} [control] what stands beside a tool
 */
export function toolList(tools, refused, control = () => null) {
  if (tools.length + refused.length === 0) return null;
  return el(
    "ul",
    { class: "tools", "aria-label": "Tools", tabindex: 0 },
    ...tools.map(({ name, title, description }) => el("li", {}, el("code", {}, plain(name)), control(name), el("span", {}, plain(title ?? description ?? "")))),
    ...refused.map(({ name, reason }) => el("li", { class: "refused" }, el("code", {}, plain(name)), el("span", {}, `Not shared: ${plain(reason)}`))),
  );
}
