/** The call to paste into a shell. */

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
