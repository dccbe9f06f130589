/** Code to copy: a call for a terminal, and a host for another page. */

import { curl } from "../agent/call-code.js";

/** @param {string} origin @param {string} code */
export function curlCommand(origin, code) {
  return curl({ origin, code, tool: "add_note", args: { text: "Hello, tab" } });
}

/** @param {string} origin */
export function hostModule(origin) {
  return [
    `import { createSession, Host }`,
    `  from "${origin}/waypost.js";`,
    ``,
    `const session = await createSession();`,
    `const host = new Host(session);`,
    `host.tool({ name: "add" }, ({ a, b }) => a + b);`,
    `await host.connect();`,
    `console.log(session.code);`,
  ].join("\n");
}
