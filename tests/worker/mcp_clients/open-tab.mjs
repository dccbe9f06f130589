// A tab without a browser: `Host` of waypost.js in Node, with tools for every client to call.

import { createSession, Host } from "../../../src/site/waypost.js";
import { toolsOf } from "./tools.mjs";

/** Opens a session and hosts it, with `more` tools. `heard` gets each `request` and `cancel` as it comes. */
export async function openTab(baseUrl, heard = () => {}, more = []) {
  const session = await createSession({ baseUrl, ttl: 3600, label: "MCP" });
  const host = new Host(session, { storage: null });
  const tab = {
    code: session.code,
    hostToken: session.hostToken,
    sessionId: session.sessionId,
    url: `${session.baseUrl.replace(/\/$/, "")}/mcp/${session.code}`,
    events: [],
    held: [],
    /** Answer every call of `hold` that waits. */
    release: () => tab.held.splice(0).forEach((answer) => answer()),
    /** Offer one more tool. */
    offer: (name) =>
      host.tool({ name, description: "Offered later", inputSchema: { type: "object" } }, () => ({
        content: [{ type: "text", text: name }],
      })),
    /** Go away. The session stays. */
    leave: () => host.close(),
  };
  const note = (event) => {
    tab.events.push(event);
    heard(event);
  };
  host.on("request", ({ id, tool, args, repeat }) => note({ event: "request", id, tool, args, repeat }));
  host.on("cancel", ({ id }) => note({ event: "cancel", id }));
  for (const [definition, handler] of [...toolsOf(session, tab), ...more]) host.tool(definition, handler);
  await host.connect();
  return tab;
}
