/**
 * The browser client of Waypost: an ES module without dependencies.
 *
 *     import { createSession, Host, joinSession } from "/waypost.js";
 *
 *     const host = new Host(await createSession({ label: "my tab" }));
 *     host.tool({ name: "add", inputSchema: { type: "object" } }, ({ a, b }) => a + b);
 *     await host.connect();                                   // the tab answers
 *
 *     const guest = await joinSession(code);
 *     await guest.call("add", { a: 1, b: 2 });                // the agent asks: 3
 */
export { createSession, Session } from "./client/session.js";
export { Host } from "./client/host.js";
export { Guest, joinSession } from "./client/guest.js";
export { ApiError, CallTimeout, ToolError, TransportError, WaypostError } from "./client/errors.js";
export { SseParser } from "./client/sse.js";
