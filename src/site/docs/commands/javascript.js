/** A call with `fetch`. `var`, so that the snippets can be pasted one after the other. */

import { literal } from "./literal.js";

/** @typedef {import("./command.js").Command} Command */

/** @type {import("./literal.js").Dialect} */
const JAVASCRIPT = {
  template: (parts) => `\`${parts.map((part, at) => (at % 2 ? `\${${part}}` : part.replaceAll(/[\\`]|\$(?={)/g, "\\$&"))).join("")}\``,
  key: (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)),
  indent: "  ",
  words: { true: "true", false: "false", null: "null" },
};

/** @param {Command} command @param {unknown} value the body, with the values that are known */
export function javascript({ call, method, url, headers, isStream, needsKey }, value) {
  const options = [
    ...(method === "GET" ? [] : [`method: "${method}"`]),
    ...(Object.keys(headers).length ? [`headers: ${literal(headers, JAVASCRIPT, "  ")}`] : []),
    ...(call.type ? [`body: ${bodyOf(call.type, value)}`] : []),
  ];
  const target = literal(url, JAVASCRIPT);
  const request = options.length ? `${target}, {\n${options.map((one) => `  ${one},\n`).join("")}}` : target;
  const made = call.makes
    ? [`var ${call.makes} = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))\n  .replaceAll("+", "-").replaceAll("/", "_").replace("=", "");`]
    : [];
  if (needsKey) made.push(`var APP_KEY = "an-app-key"; // one of the deployment's APP_KEYS`);
  return [...made, `var reply = await fetch(${request});`, ...read(call, isStream)].join("\n");
}

/** @param {import("./command.js").Call} call @param {boolean} isStream */
function read({ keep = {}, isEndless }, isStream) {
  const kept = Object.entries(keep);
  if (isEndless) {
    return [
      "var reader = reply.body.getReader();",
      "console.log(new TextDecoder().decode((await reader.read()).value)); // read() again for what follows",
      "await reader.cancel();",
    ];
  }
  if (kept.some(([, where]) => where.startsWith("/"))) {
    return ["var body = await reply.json();", "console.log(body);", ...kept.map(([name, where]) => `var ${name} = body${where.replaceAll("/", ".")};`)];
  }
  const text = isStream && kept.length ? ["var text = await reply.text();", "console.log(text);"] : ["console.log(reply.status, await reply.text());"];
  return [
    ...text,
    ...kept.map(([name, where]) =>
      where.startsWith("header:")
        ? `var ${name} = reply.headers.get("${where.slice("header:".length)}");`
        : `var ${name} = text.match(/^id: (.*)$/m)[1];`,
    ),
  ];
}

/** @param {string} type @param {unknown} value */
function bodyOf(type, value) {
  const shown = literal(value, JAVASCRIPT, "  ");
  return type === "application/x-ndjson" ? `${shown}.map((line) => JSON.stringify(line)).join("\\n")` : `JSON.stringify(${shown})`;
}
