/** The calls that waypost.js makes, by operation. The others are made with `fetch`. */

import { filled } from "./command.js";

/** What is imported -> the lines below it. @type {Record<string, [string[], string]>} */
const SNIPPETS = {
  openSession: [["createSession"], `var session = await createSession({ label: "Ada's board" });\nvar CODE = session.code;\nvar SESSION_ID = session.sessionId;`],
  putTools: [
    ["Host"],
    `var host = new Host(session);
host.tool(
  {
    name: "add_note",
    description: "Pins a note to the board.",
    inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  },
  ({ text }) => ({ noted: text }),
);
await host.connect(); // from now on it answers calls`,
  ],
  joinSession: [["joinSession"], "var guest = await joinSession($CODE);"],
  readSession: [[], "console.log(await guest.session());"],
  extendSession: [[], "console.log(await session.extend());"],
  endSession: [["createSession"], "var brief = await createSession({ ttl: 60 });\nawait brief.end();"],
  sendRequest: [[], `console.log(await guest.call("add_note", { text: "Hello, tab" }, { id: "call-1" }));`],
  takeAddress: [[], "await session.claimAddress();\nconsole.log(session.mcpUrl);"],
  ask: [
    ["Chat"],
    "var chat = new Chat({ threadId: `trip-to-oslo-${$CODE}`, resourceId: `ada-${$CODE}` });\n" +
      `for await (const event of chat.send("I live in Oslo.")) console.log(event);`,
  ],
  readChat: [[], "console.log(await chat.history());"],
  streamAnswer: [[], "for await (const event of (await chat.resume()) ?? []) console.log(event);"],
  stopAnswer: [[], "console.log(await chat.stop());"],
  forkThread: [[], "var branch = await chat.fork({ threadId: `trip-to-bergen-${$CODE}` });\nconsole.log(await branch.history());"],
  askVoiceAgent: [["voice"], `console.log(await voice("My name is Ada."));`],
  describeThread: [["readThread"], "console.log(await readThread(`ada-${$CODE}`, `trip-to-oslo-${$CODE}`));"],
  listThreads: [["listThreads"], "console.log(await listThreads(`ada-${$CODE}`));"],
  beginThread: [["beginThread"], 'console.log(await beginThread(`ada-${$CODE}`, `packing-${$CODE}`, { title: "To be named" }));'],
  changeThread: [["changeThread"], 'console.log(await changeThread(`ada-${$CODE}`, `packing-${$CODE}`, { title: "Packing", archived: true }));'],
  deleteThread: [["deleteThread"], "console.log(await deleteThread(`ada-${$CODE}`, `trip-to-oslo-${$CODE}`));"],
  exportResource: [["exportResource"], "for await (const line of exportResource(`ada-${$CODE}`)) console.log(line);"],
  deleteResource: [["deleteResource"], "console.log(await deleteResource(`ada-${$CODE}`));"],
  putPage: [
    ["Pages"],
    "var pages = new Pages($SESSION_ID);\n" +
      'console.log(await pages.put({ intentId: `q3-report-${$CODE}`, title: "Q3", html: "<!doctype html><h1>Up 4 %</h1>" }));',
  ],
  listPages: [[], "console.log(await pages.list());"],
  deletePage: [[], "await pages.delete(`q3-report-${$CODE}`);"],
};

/**
 * The snippet of an operation; undefined if waypost.js has no call for it.
 * @param {string} operation
 * @param {string} origin
 * @param {Record<string, string>} values
 * @returns {string | undefined}
 */
export function client(operation, origin, values) {
  const found = SNIPPETS[operation];
  if (!found) return undefined;
  const [names, lines] = found;
  const quoted = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));
  const code = filled(lines, quoted).replaceAll(/\$([A-Z_]+)/g, "$1");
  return names.length ? `var { ${names.join(", ")} } = await import("${origin}/waypost.js");\n${code}` : code;
}
