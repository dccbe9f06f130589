/** A call as code to copy: what was just done here, for a page, a program or a terminal. */

/** @typedef {{ origin: string, code: string, tool: string, args: Record<string, unknown>, isEncrypted: boolean }} Call */

/** Instead of the link of an encrypted session: its key is not shown. */
const LINK = "THE_LINK_OF_THE_TAB";

/** The languages, each with the code of `call`; an encrypted call can be made by `waypost.js` alone. @param {Call} call @returns {Record<string, string>} */
export function callCode(call) {
  const inJavaScript = { JavaScript: javaScript(call) };
  return call.isEncrypted ? inJavaScript : { ...inJavaScript, Python: python(call), curl: curl(call) };
}

/** @param {Call} call */
function javaScript({ origin, code, tool, args, isEncrypted }) {
  return [
    `import { joinSession } from "${origin}/waypost.js";`,
    ``,
    `const guest = await joinSession(${JSON.stringify(isEncrypted ? LINK : code)});`,
    `const result = await guest.call(${JSON.stringify(tool)}, ${JSON.stringify(args, null, 2)});`,
    `console.log(result);`,
  ].join("\n");
}

/** Of the standard library alone. @param {Call} call */
function python({ origin, code, tool, args }) {
  return [
    `import json`,
    `import urllib.request`,
    ``,
    // JSON's text is Python's too.
    `call = json.loads(${JSON.stringify(JSON.stringify({ code, tool, args }))})`,
    `request = urllib.request.Request(`,
    `    "${origin}/api/request?wait=30",`,
    `    json.dumps(call).encode(),`,
    `    {"Content-Type": "application/json"},`,
    `)`,
    `with urllib.request.urlopen(request) as answer:`,
    `    print(json.load(answer))`,
  ].join("\n");
}

/** @param {Pick<Call, "origin" | "code" | "tool" | "args">} call */
export function curl({ origin, code, tool, args }) {
  // A quote ends the shell's text, stands for itself, and begins it again.
  const body = JSON.stringify({ code, tool, args }).replaceAll("'", `'\\''`);
  return [`curl -s '${origin}/api/request?wait=30' \\`, `  -H 'Content-Type: application/json' \\`, `  -d '${body}'`].join("\n");
}
