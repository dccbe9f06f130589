/** A command for a shell. */

import { pieces } from "./command.js";

/** @typedef {import("./command.js").Command} Command */

/** @param {Command} command */
export function curl({ call, method, url, headers, body, isStream, needsKey }) {
  const kept = Object.entries(call.keep ?? {});
  const hasHeaders = kept.some(([, where]) => where.startsWith("header:"));
  const options = isStream ? `-sN${call.isEndless ? " --max-time 5" : ""}` : `-s${hasHeaders ? "i" : ""}`;
  const parts = [`curl ${options}${isStream || kept.length ? "" : "w '\\n'"} ${quoted(url)}`];
  if (method !== "GET" && (method !== "POST" || body === null)) parts.push(`-X ${method}`);
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== null) parts.push(`${body.includes("\n") ? "--data-binary" : "-d"} ${quoted(body)}`);
  const request = parts.join(" \\\n  ");
  const made = call.makes ? [`${call.makes}=$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')`] : [];
  if (needsKey) made.push("APP_KEY=an-app-key # one of the deployment's APP_KEYS");
  if (!kept.length) return [...made, request].join("\n");
  return [...made, `REPLY=$(${request})`, `printf '%s\\n' "$REPLY"`, ...kept.map(([name, where]) => `${name}=$(${taken(where)})`)].join("\n");
}

/** What finds a value in the reply. @param {string} where */
function taken(where) {
  if (where.startsWith("header:")) return `printf '%s' "$REPLY" | grep -i '^${where.slice("header:".length)}:' | cut -d ' ' -f 2 | tr -d '\\r'`;
  if (where.startsWith("event:")) return `printf '%s' "$REPLY" | sed -n 's/^id: //p' | head -n 1`;
  return `expr "$REPLY" : '.*"${where.split("/").at(-1)}":"\\([^"]*\\)"'`;
}

/** One word for the shell, in which the names of values are variables. @param {string} text */
function quoted(text) {
  const parts = pieces(text);
  if (parts.length > 1 && !/["\\`!]/.test(text)) return `"${text}"`;
  return parts.map((part, at) => (at % 2 ? `$${part}` : part && `'${part.replaceAll("'", `'\\''`)}'`)).join("") || "''";
}
