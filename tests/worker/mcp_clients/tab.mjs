// The tab as a program: what happens in it goes to standard output, one JSON object a line, and standard input takes
// commands, `["release"]` or `["offer", "a_name"]`. It ends with its input.
//
//     node tab.mjs http://127.0.0.1:8787 [./more-tools.mjs]

import { createInterface } from "node:readline";

import { openTab } from "./open-tab.mjs";

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const more = process.argv[3] ? (await import(process.argv[3])).TOOLS : [];
const tab = await openTab(process.argv[2], say, more);
say({ event: "online", code: tab.code, hostToken: tab.hostToken, sessionId: tab.sessionId });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...args] = JSON.parse(line);
  tab[command](...args);
}
process.exit();
