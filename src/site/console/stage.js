/** The example tools, and the list of them on the page. */

import { byId, el } from "./dom.js";
import { accentTool } from "./tools/accent.js";
import { askTool } from "./tools/ask.js";
import { noteTool } from "./tools/note.js";

const TOOLS = [accentTool, noteTool, askTool];

byId("offer").replaceChildren(
  ...TOOLS.map(({ definition }) => el("li", {}, el("code", {}, definition.name), el("span", {}, definition.title))),
);

/** @param {import("../waypost.js").Host} host */
export function offerTools(host) {
  for (const { definition, handler } of TOOLS) host.tool(definition, handler);
}
