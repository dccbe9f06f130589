/** The example tools, and the list of them on the page. */

import { byId, el } from "../shared/dom.js";
import { accentTool } from "./accent.js";
import { askTool } from "./ask.js";
import { registerTools } from "./browser-tools.js";
import { noteTool } from "./note.js";

const TOOLS = [accentTool, noteTool, askTool];

/** @typedef {import("../../waypost.js").Host} Host */

/**
 * Offers them to guests, and to an agent of the browser.
 * @param {Host} host
 * @param {import("../../waypost.js").Approver} approve the host's
 */
export function offerTools(host, approve) {
  for (const { definition, handler } of TOOLS) host.tool(definition, handler);
  registerTools(TOOLS, host, approve);
  const shown = TOOLS.map(({ definition: { name, title } }) => ({ name, title, box: askBox(host, name) }));
  // "Always allow" in an approval changes the switch here.
  host.on("approval", () => {
    for (const { name, box } of shown) box.checked = host.needsApproval(name);
  });
  byId("offer").replaceChildren(
    ...shown.map(({ name, title, box }) =>
      el("li", {}, el("code", {}, name), el("span", {}, title), el("label", {}, box, "ask first")),
    ),
  );
}

/**
 * The switch for whether calls of a tool wait for the person.
 * @param {Host} host
 * @param {string} name
 */
function askBox(host, name) {
  const box = el("input", { type: "checkbox", role: "switch", "aria-label": `Ask first before ${name} is called` });
  box.checked = host.needsApproval(name);
  box.addEventListener("change", () => host.requireApproval(name, box.checked));
  return box;
}
