/** One operation: a line that opens. */

import { copies, el } from "../console/shared/dom.js";
import { curlCommand, exampleNames } from "./curl.js";
import { inline, prose } from "./prose.js";
import { schemaDetails, typeOf } from "./schema.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./document.js").Resolver} Resolver */
/** @typedef {import("./document.js").Reply} Reply */
/** @typedef {import("./document.js").Content} Content */

/**
 * The card of `operation`; its content is built when it is first opened.
 * @param {Operation} operation
 * @param {Resolver} resolver
 */
export function operationCard(operation, resolver) {
  const card = el(
    "details",
    { class: "operation card", id: operation.operationId },
    el(
      "summary",
      {},
      el("b", { class: "method", "data-method": operation.method }, operation.method),
      el("code", { class: "path" }, ...breakable(operation.path)),
      el("span", { class: "does" }, ...inline(operation.summary)),
    ),
  );
  card.addEventListener("toggle", () => {
    if (card.open && card.childElementCount === 1) card.append(...inside(operation, resolver));
  });
  return card;
}

/** Slashes are where a path may break. @param {string} path */
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part) => [part, el("wbr")]);
}

/**
 * @param {Operation} operation
 * @param {Resolver} resolver
 */
function inside(operation, resolver) {
  return [
    ...prose(operation.description),
    el("p", { class: "who" }, "Authorization: ", ...who(operation)),
    ...examples(operation),
    ...parameters(operation, resolver),
    ...body(operation, resolver),
    el("h3", {}, "Responses"),
    ...Object.entries(operation.responses).map(([status, reply]) => replyDetails(status, reply, resolver)),
  ];
}

/** @param {Operation} operation */
function who(operation) {
  const names = operation.security.flatMap((scheme) => Object.keys(scheme));
  if (!names.length) return [operation.path.includes("{") ? "none besides the ids in the URL" : "none"];
  const isOpen = operation.security.some((scheme) => !Object.keys(scheme).length);
  const parts = names.flatMap((name, at) => [at ? " or " : "", el("code", {}, name)]);
  return isOpen ? [...parts, ", or none where the deployment allows it"] : parts;
}

/** @param {Operation} operation */
function examples(operation) {
  const blocks = [...exampleNames(operation)].map(([name, summary]) =>
    snippet(summary, curlCommand(operation, name, location.origin), `Command: ${summary || operation.operationId}`),
  );
  return [el("h3", {}, "Examples"), ...blocks];
}

/**
 * @param {Operation} operation
 * @param {Resolver} resolver
 */
function parameters(operation, resolver) {
  if (!operation.parameters?.length) return [];
  const rows = operation.parameters.flatMap((parameter) => [
    el(
      "dt",
      {},
      el("code", {}, parameter.name),
      el("i", {}, parameter.in),
      parameter.required ? el("i", { class: "needed" }, "required") : null,
    ),
    el(
      "dd",
      {},
      el("p", { class: "type" }, typeOf(parameter.schema, resolver)),
      ...prose(parameter.description ?? parameter.schema.description),
      parameter.schema.pattern ? el("code", { class: "limit" }, parameter.schema.pattern) : null,
    ),
  ]);
  return [el("h3", {}, "Parameters"), el("dl", { class: "fields" }, ...rows)];
}

/**
 * @param {Operation} operation
 * @param {Resolver} resolver
 */
function body(operation, resolver) {
  const { requestBody } = operation;
  if (!requestBody) return [];
  return [
    el("h3", {}, requestBody.required ? "Body" : "Body (optional)"),
    ...Object.entries(requestBody.content).map(([type, content]) => contentDetails(type, content, resolver, false)),
  ];
}

/**
 * @param {string} status
 * @param {Reply} reply
 * @param {Resolver} resolver
 */
function replyDetails(status, reply, resolver) {
  const found = resolver.resolve(reply);
  const headers = Object.entries(found.headers ?? {}).map(([name, header]) => ({ name, ...resolver.resolve(header) }));
  const links = Object.values(found.links ?? {});
  const kind = status < "300" ? "good" : status < "400" ? "warn" : "bad";
  return el(
    "details",
    { class: "reply" },
    el("summary", {}, el("b", { class: "status", "data-kind": kind }, status), el("span", {}, ...inline(found.description))),
    ...Object.entries(found.content ?? {}).map(([type, content]) => contentDetails(type, content, resolver, true)),
    el("p", { class: "hint" }, "Headers: ", ...commas(headers.map(({ name }) => el("code", {}, name)))),
    links.length
      ? el("p", { class: "hint" }, "Next: ", ...commas(links.map(linked)))
      : null,
  );
}

/** @param {import("./document.js").Link} link */
function linked(link) {
  return el("a", { href: `#${link.operationId}` }, link.operationId);
}

/** @param {Node[]} nodes */
function commas(nodes) {
  return nodes.flatMap((node, at) => (at ? [", ", node] : [node]));
}

/**
 * @param {string} type
 * @param {Content} content
 * @param {Resolver} resolver
 * @param {boolean} hasExamples
 */
function contentDetails(type, content, resolver, hasExamples) {
  const schema = content.schema ?? {};
  const shown = hasExamples ? Object.values(content.examples ?? {}) : [];
  return el(
    "div",
    { class: "content" },
    el("p", { class: "type" }, el("code", {}, type), typeOf(schema, resolver)),
    ...prose(resolver.resolve(schema).description),
    ...schemaDetails(schema, resolver),
    ...shown.map(({ summary, value }) => snippet(summary ?? "", pretty(value), `Example: ${summary ?? ""}`)),
  );
}

/**
 * @param {string} title
 * @param {string} text
 * @param {string} label
 */
function snippet(title, text, label) {
  const button = el("button", { type: "button", class: "quiet", "aria-label": `Copy: ${label}` }, "Copy");
  copies(button, () => text);
  return el(
    "figure",
    { class: "example" },
    el("figcaption", {}, el("span", {}, title), button),
    el("pre", { class: "snippet", tabindex: "0", "aria-label": label }, text),
  );
}

/** JSON for reading. @param {unknown} value */
function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
