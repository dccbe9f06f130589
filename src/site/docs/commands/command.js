/** The example calls as requests, in the order in which the page shows them. A value that an earlier one returns is `$NAME`. */

import { operationsOf } from "../document.js";

/** @typedef {import("../document.js").OpenApi} OpenApi */
/** @typedef {import("../document.js").Operation} Operation */

/**
 * A call, as docs/commands.json has it.
 * @typedef {object} Call
 * @property {string} operation
 * @property {string} title
 * @property {number} status of the reply, once the calls before it have run
 * @property {Record<string, string>} [path]
 * @property {Record<string, string>} [query]
 * @property {Record<string, string>} [headers]
 * @property {string} [token] the name of the token
 * @property {string} [type] of the body
 * @property {unknown} [body]
 * @property {Record<string, string>} [keep] name -> a JSON pointer into the reply; `header:` and its name; `event:…`, the
 *   first id of a stream
 * @property {boolean} [isEndless] its stream does not end by itself
 * @property {string} [makes] the name of a secret that it makes up
 */

/**
 * @typedef {object} Command
 * @property {Call} call
 * @property {string} method
 * @property {string} url with the origin
 * @property {Record<string, string>} headers
 * @property {string | null} body
 * @property {boolean} isStream
 * @property {boolean} needsKey it needs an app key, which nothing returns: the reader has to fill it in
 */

/**
 * The calls of each operation, in the order of the page: by tags, then as they run.
 * @param {OpenApi} api
 * @param {Call[]} calls
 * @returns {Array<{ operation: Operation, calls: Call[] }>}
 */
export function inOrder(api, calls) {
  const operations = operationsOf(api);
  const places = calls.map(({ operation }) => operation);
  return api.tags.flatMap(({ name }) =>
    operations
      .filter(({ tags, operationId }) => tags.includes(name) && places.includes(operationId))
      .sort((one, other) => places.indexOf(one.operationId) - places.indexOf(other.operationId))
      .map((operation) => ({ operation, calls: calls.filter((call) => call.operation === operation.operationId) })),
  );
}

/**
 * The request of a call. What is known of the values is put in; the names of the others stay.
 * @param {Operation} operation
 * @param {Call} call
 * @param {string} origin
 * @param {Record<string, string>} values
 * @returns {Command}
 */
export function commandOf(operation, call, origin, values) {
  const path = operation.path.replaceAll(/{(\w+)}/g, (_, name) => encoded(call.path?.[name] ?? ""));
  const query = Object.entries(call.query ?? {}).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const token = call.token ?? tokenOf(operation, values);
  /** @param {string} text */
  const fill = (text) => filled(text, values);
  const headers = {
    ...(token ? { Authorization: `Bearer $${token}` } : {}),
    ...(call.type ? { "Content-Type": call.type } : {}),
    ...call.headers,
  };
  return {
    call,
    method: operation.method,
    url: origin + fill(query.length ? `${path}?${query.join("&")}` : path),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
    body: call.type ? filled(text(call), inJson(values)) : null,
    isStream: isStream(operation, call),
    needsKey: token === "APP_KEY" && !values.APP_KEY,
  };
}

/**
 * `text` with the values that are known.
 * @param {string} text
 * @param {Record<string, string>} values
 */
export function filled(text, values) {
  return text.replaceAll(/\$([A-Z_]+)/g, (whole, name) => values[name] ?? whole);
}

/** Values as they stand within a text of JSON. @param {Record<string, string>} values */
export function inJson(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value).slice(1, -1)]));
}

/**
 * `text` in pieces: what stands there, and the names of values, in turn.
 * @param {string} text
 * @returns {string[]}
 */
export function pieces(text) {
  return text.split(/\$([A-Z_]+)/);
}

/**
 * The names that `command` needs and that are not known.
 * @param {Command} command
 */
export function missing(command) {
  const whole = [command.url, command.body ?? "", ...Object.values(command.headers)].join("\n");
  return [...new Set(pieces(whole).filter((_, at) => at % 2))].filter((name) => name !== command.call.makes);
}

/** Where apps have keys, a caller with one may do all that an app may. @param {Operation} operation @param {Record<string, string>} values */
function tokenOf(operation, values) {
  const schemes = operation.security.flatMap((scheme) => Object.keys(scheme));
  const isNeeded = schemes.length > 0 && operation.security.every((scheme) => Object.keys(scheme).length > 0);
  return schemes.includes("appKey") && (isNeeded || values.APP_KEY) ? "APP_KEY" : "";
}

/** @param {Call} call */
function text({ type, body }) {
  return type === "application/x-ndjson"
    ? /** @type {unknown[]} */ (body).map((line) => `${JSON.stringify(line)}\n`).join("")
    : JSON.stringify(body);
}

/** Whether the reply is read as it comes. @param {Operation} operation @param {Call} call */
export function isStream(operation, { status, isEndless }) {
  const content = operation.responses[status]?.content ?? {};
  return Boolean(isEndless) || ("text/event-stream" in content && !("application/json" in content));
}

/** Percent-encoded, but for the names of values: those can stand in a URL. @param {string} value */
function encoded(value) {
  return pieces(value)
    .map((piece, at) => (at % 2 ? `$${piece}` : encodeURIComponent(piece)))
    .join("");
}
