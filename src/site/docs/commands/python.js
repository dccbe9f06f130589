/** A call with httpx. */

import { literal } from "./literal.js";

/** @typedef {import("./command.js").Command} Command */

const INDENT = "    ";

/** @type {import("./literal.js").Dialect} */
const PYTHON = {
  // As an f-string; JSON's escapes are Python's too.
  template: (parts) => `f${JSON.stringify(parts.map((part, at) => (at % 2 ? `{${part}}` : part.replaceAll(/[{}]/g, "$&$&"))).join(""))}`,
  key: (name) => JSON.stringify(name),
  indent: INDENT,
  words: { true: "True", false: "False", null: "None" },
};

/** @param {Command} command @param {unknown} value the body, with the values that are known */
export function python({ call, method, url, headers, isStream, needsKey }, value) {
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "Content-Type" || call.type !== "application/json"));
  const isLines = call.type === "application/x-ndjson";
  const named = [
    ...(Object.keys(own).length ? [`headers=${literal(own, PYTHON, INDENT)}`] : []),
    ...(call.type && !isLines ? [`json=${literal(value, PYTHON, INDENT)}`] : []),
    ...(isLines ? [`content="\\n".join(map(json.dumps, ${literal(value, PYTHON, INDENT)}))`] : []),
    ...(isStream ? ["timeout=None"] : []),
  ];
  // Those of httpx that take a body.
  const short = ["POST", "PUT", "PATCH"].includes(method) || (method === "GET" && !call.type) || (method === "DELETE" && !call.type);
  const target = [...(short && !isStream ? [] : [`"${method}"`]), literal(url, PYTHON), ...named];
  const shown = target.join(", ").length > 90 || target.some((one) => one.includes("\n")) ? `\n${target.map((one) => `${INDENT}${one},\n`).join("")}` : target.join(", ");
  const imports = [isLines ? "import json\n" : "", call.makes ? "import secrets\n" : ""].join("");
  const made = (call.makes ? `${call.makes} = secrets.token_urlsafe(32)\n` : "") + (needsKey ? `APP_KEY = "an-app-key"  # one of the deployment's APP_KEYS\n` : "");
  const request = isStream ? `with httpx.stream(${shown}) as reply:` : `reply = httpx.${short ? method.toLowerCase() : "request"}(${shown})`;
  return [`${imports}import httpx\n\n${made}${request}`, ...read(call, isStream)].join("\n");
}

/** @param {import("./command.js").Call} call @param {boolean} isStream */
function read({ keep = {}, isEndless }, isStream) {
  const kept = Object.entries(keep);
  if (isEndless) return [`${INDENT}print(next(reply.iter_text()))  # and again for what follows`];
  if (isStream && !kept.length) return [`${INDENT}for line in reply.iter_lines():`, `${INDENT}${INDENT}print(line)`];
  if (isStream) {
    return [
      `${INDENT}lines = list(reply.iter_lines())`,
      'print("\\n".join(lines))',
      ...kept.map(([name]) => `${name} = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")`),
    ];
  }
  return ["print(reply.status_code, reply.text)", ...kept.map(([name, where]) => `${name} = ${taken(where)}`)];
}

/** @param {string} where */
function taken(where) {
  if (where.startsWith("header:")) return `reply.headers["${where.slice("header:".length)}"]`;
  return `reply.json()${where
    .split("/")
    .slice(1)
    .map((part) => `["${part}"]`)
    .join("")}`;
}
