/**
 * Registers the example tools with the browser as well (WebMCP), for an agent in this browser. Agents elsewhere get them from the
 * host, once: the host does not offer what the browser lists.
 */

import { newId } from "../../client/ids.js";
import { modelContexts } from "../../client/webmcp/contexts.js";

/** @typedef {import("../../waypost.js").ApprovalRequest} ApprovalRequest */
/** @typedef {import("../../waypost.js").Approver} Approver */
/** @typedef {import("../../waypost.js").Host} Host */
/** @typedef {{ definition: import("../../waypost.js").ToolDefinition, handler: (args: any, context: any) => unknown }} ExampleTool */

/** Whose switches decide which calls ask first. @type {{ host: Host, approve: Approver } | null} */
let current = null;

/**
 * Registers the tools, if the browser has WebMCP and they are not registered yet. Calls are asked about as the host's are.
 * @param {ExampleTool[]} tools
 * @param {Host} host
 * @param {Approver} approve
 */
export function registerTools(tools, host, approve) {
  const isFirst = current === null;
  current = { host, approve };
  const [context] = modelContexts();
  if (!isFirst || typeof context?.registerTool !== "function") return;
  for (const tool of tools) {
    const execute = (/** @type {any} */ args, /** @type {{ signal?: AbortSignal }} */ { signal = new AbortController().signal } = {}) => run(tool, args, signal);
    Promise.resolve(context.registerTool({ ...tool.definition, execute })).catch((error) => console.warn("waypost:", error));
  }
}

/** @param {ExampleTool} tool @param {any} args @param {AbortSignal} signal */
async function run({ definition, handler }, args, signal) {
  const { host, approve } = /** @type {{ host: Host, approve: Approver }} */ (current);
  const { name } = definition;
  const id = newId();
  if (host.needsApproval(name)) {
    const decision = await approve({ id, tool: name, args, definition, replay: false, restarted: false, signal });
    if (decision === "refuse") throw new Error("The person at the tab has refused this call.");
    if (decision === "always") {
      host.requireApproval(name, false);
      host.emit("approval", { id, tool: name, decision });
    }
  }
  return handler(args, { id, signal, restarted: false, progress: () => {} });
}
