/** Code to copy: a call for a terminal, and a host for another page. */

/**
 * @param {string} origin
 * @param {string} code
 */
export function curlCommand(origin, code) {
  const body = JSON.stringify({ code, tool: "add_note", args: { text: "Hello, tab" } });
  return [
    `curl -s '${origin}/api/request?wait=30' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
  ].join("\n");
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
