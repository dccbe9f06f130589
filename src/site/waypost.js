/**
 * The browser client of Waypost: an ES module without dependencies.
 *
 *     import { createSession, Host, joinSession } from "/waypost.js";
 *
 *     const host = new Host(await createSession({ label: "my tab" }));
 *     host.tool({ name: "add", inputSchema: { type: "object" } }, ({ a, b }) => a + b);
 *     await host.connect();                                   // the tab now answers calls
 *
 *     const kept = (await Session.claim()) ?? (await createSession());  // the same session after a reload
 *
 *     const guest = await joinSession(code);
 *     await guest.call("add", { a: 1, b: 2 });                // the agent calls a tool: 3
 *
 *     const asking = new Host(session, { approve: async ({ tool }) => (confirm(`Run ${tool}?`) ? "once" : "refuse") });
 *
 *     const secret = await createSession({ encrypted: true });  // the server can't read the calls
 *     const friend = await joinSession(secret.link);            // the link contains the key
 *
 *     const chat = new Chat({ threadId: "trip" });
 *     for await (const { type, text } of chat.send("Hello")) if (type === "delta") show(text);
 *
 *     await voice("What did I just say?");                    // the tab's own conversation
 */
export { createSession, Session } from "./client/session/session.js";
export { Host } from "./client/host/host.js";
export { Guest, joinSession } from "./client/session/guest.js";
export { Chat } from "./client/chat/chat.js";
export { beginThread, changeThread, deleteThread, listThreads, readThread } from "./client/chat/threads.js";
export { deleteResource, exportResource } from "./client/chat/resources.js";
export { Pages } from "./client/chat/pages.js";
export { voice } from "./client/chat/voice.js";
export { clearSessionId, getSessionId } from "./client/chat/session-id.js";
export { canEncrypt } from "./client/crypto/cipher.js";
export { ApiError, CallTimeout, DecryptionError, ToolError, TransportError, WaypostError } from "./client/errors.js";
export { SseParser } from "./client/transport/sse.js";
