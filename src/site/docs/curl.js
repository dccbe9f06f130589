/** An example as a command for a shell. */

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./document.js").Parameter} Parameter */

/** The shell variable of each kind of token. @type {Record<string, string>} */
const VARIABLES = { hostToken: "$HOST_TOKEN", guestToken: "$GUEST_TOKEN", appKey: "$APP_KEY" };

/**
 * The names of the operation's examples of successful calls.
 * @param {Operation} operation
 * @returns {Map<string, string>} name -> what it shows
 */
export function exampleNames(operation) {
  /** @type {Map<string, string>} */
  const names = new Map();
  /** @param {import("./document.js").Content | Parameter} holder */
  const add = (holder) => {
    for (const [name, { summary }] of Object.entries(holder.examples ?? {})) names.set(name, summary ?? name);
  };
  operation.parameters?.forEach(add);
  Object.values(operation.requestBody?.content ?? {}).forEach(add);
  if (!names.size) names.set("", "");
  return names;
}

/**
 * @param {Operation} operation
 * @param {string} name
 * @param {string} origin
 */
export function curlCommand(operation, name, origin) {
  const parts = [];
  if (operation.method !== "GET" && !(operation.method === "POST" && operation.requestBody)) {
    parts.push(`-X ${operation.method}`);
  }
  const token = tokenOf(operation, name);
  if (token) parts.push(`-H "Authorization: Bearer ${token}"`);
  for (const [header, value] of valuesOf(operation, name, "header")) parts.push(`-H ${quoted(`${header}: ${value}`)}`);
  for (const [type, content] of Object.entries(operation.requestBody?.content ?? {})) {
    const example = content.examples?.[name];
    if (!example) continue;
    const text = type.endsWith("ndjson")
      ? /** @type {unknown[]} */ (example.value).map((line) => JSON.stringify(line)).join("\n")
      : JSON.stringify(example.value);
    parts.push(`-H 'Content-Type: ${type}'`, `--data-binary ${quoted(text)}`);
  }
  const isStream = Object.values(operation.responses).some((reply) => reply.content?.["text/event-stream"]);
  if (isStream && hasLines(operation, name)) parts.push("-H 'Accept: application/x-ndjson'");
  return [`curl ${isStream ? "-sN" : "-s"} ${quoted(urlOf(operation, name, origin))}`, ...parts].join(" \\\n  ");
}

/**
 * @param {Operation} operation
 * @param {string} name
 * @param {string} origin
 */
function urlOf(operation, name, origin) {
  let path = operation.path;
  for (const [parameter, value] of valuesOf(operation, name, "path")) {
    path = path.replace(`{${parameter}}`, encodeURIComponent(`${value}`));
  }
  const query = new URLSearchParams();
  for (const [parameter, value] of valuesOf(operation, name, "query")) {
    // An object stands for several parameters, named by its fields.
    if (typeof value === "object" && value) Object.entries(value).forEach(([key, text]) => query.set(key, `${text}`));
    else query.set(parameter, `${value}`);
  }
  return `${origin}${path}${query.size ? `?${query}` : ""}`;
}

/**
 * The parameters of the example; a required one without a value in it takes another example's value.
 * @param {Operation} operation
 * @param {string} name
 * @param {string} place
 * @returns {Array<[string, unknown]>}
 */
function valuesOf(operation, name, place) {
  return (operation.parameters ?? [])
    .filter((parameter) => parameter.in === place)
    .flatMap((parameter) => {
      const examples = parameter.examples ?? {};
      const example = examples[name] ?? (parameter.required ? Object.values(examples)[0] : undefined);
      return example ? [/** @type {[string, unknown]} */ ([parameter.name, example.value])] : [];
    });
}

/**
 * @param {Operation} operation
 * @param {string} name
 */
function tokenOf(operation, name) {
  const contents = Object.values(operation.responses).flatMap((reply) => Object.values(reply.content ?? {}));
  const examples = contents.flatMap((content) => Object.entries(content.examples ?? {}));
  const own = examples.find(([key]) => key === name || key.startsWith(`${name}-`))?.[1]["x-token"];
  const isNeeded = operation.security.length > 0 && operation.security.every((scheme) => Object.keys(scheme).length);
  return VARIABLES[own ?? (isNeeded ? Object.keys(operation.security[0])[0] : "")];
}

/**
 * Whether the example's response is NDJSON.
 * @param {Operation} operation
 * @param {string} name
 */
function hasLines(operation, name) {
  return Object.values(operation.responses).some((reply) => reply.content?.["application/x-ndjson"]?.examples?.[name]);
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
