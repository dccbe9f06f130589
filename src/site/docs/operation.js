/** One operation: a line that opens. */

import { el } from "../console/shared/dom.js";
import { examples, replyExample } from "./examples.js";
import { inline, prose } from "./prose.js";
import { problemCodes } from "./document.js";
import { schemaDetails, typeOf } from "./schema.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./document.js").Resolver} Resolver */
/** @typedef {import("./document.js").Reply} Reply */
/** @typedef {import("./document.js").Content} Content */
/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./commands/command.js").Call} Call */

/**
 * What the cards have in common. `meanings`: of problem codes.
 * @typedef {{ resolver: Resolver, choices: Choices, meanings: Record<string, string> }} Page
 */

/**
 * The card of `operation`.
 * @param {Operation} operation
 * @param {Call[]} calls its examples
 * @param {Page} page
 */
export function operationCard(operation, calls, page) {
  const { method, operationId, path, summary } = operation;
  return card(operationId, method, el("code", { class: "path" }, ...breakable(path)), summary, () => inside(operation, calls, page));
}

/**
 * A card that opens; its content is built when it is first opened. The address then names it, so that it can be passed on.
 * @param {string} id
 * @param {string} kind
 * @param {Node} title
 * @param {string} text
 * @param {() => Node[]} content
 */
export function card(id, kind, title, text, content) {
  const summary = el("summary", {}, el("b", { class: "method", "data-method": kind }, kind), title, el("span", { class: "does" }, ...inline(text)));
  const made = el("details", { class: "operation card", id }, summary);
  made.addEventListener("toggle", () => {
    if (made.open && made.childElementCount === 1) made.append(...content());
  });
  summary.addEventListener("click", () => history.replaceState(null, "", made.open ? location.pathname : `#${id}`));
  return made;
}

/** Slashes are where a path may break. @param {string} path */
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part) => [part, el("wbr")]);
}

/**
 * @param {Operation} operation
 * @param {Call[]} calls
 * @param {Page} page
 * @returns {Node[]}
 */
function inside(operation, calls, { resolver, choices, meanings }) {
  return [
    ...prose(operation.description),
    el("p", { class: "who" }, "Authorization: ", ...who(operation)),
    ...examples(operation, calls, choices, meanings),
    ...parameters(operation, resolver),
    ...body(operation, resolver),
    el("h3", {}, "Responses"),
    ...Object.entries(operation.responses).map(([status, reply]) => replyDetails(status, reply, resolver, meanings)),
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
 * @param {Record<string, string>} meanings
 */
function replyDetails(status, reply, resolver, meanings) {
  const found = resolver.resolve(reply);
  const headers = Object.entries(found.headers ?? {}).map(([name, header]) => ({ name, ...resolver.resolve(header) }));
  const links = Object.values(found.links ?? {});
  const kind = status < "300" ? "good" : status < "400" ? "warn" : "bad";
  return el(
    "details",
    { class: "reply" },
    el("summary", {}, el("b", { class: "status", "data-kind": kind }, status), el("span", {}, ...inline(found.description))),
    ...problems(found, meanings),
    ...Object.entries(found.content ?? {}).map(([type, content]) => contentDetails(type, content, resolver, true)),
    el("p", { class: "hint" }, "Headers: ", ...commas(headers.map(({ name, description }) => el("code", { title: description }, name)))),
    links.length ? el("p", { class: "hint" }, "Next: ", ...commas(links.map(linked))) : null,
  );
}

/**
 * What each problem code of a reply says.
 * @param {Reply} reply
 * @param {Record<string, string>} meanings
 */
function problems(reply, meanings) {
  const codes = problemCodes(reply);
  return codes.length ? [el("dl", { class: "fields" }, ...codes.flatMap((code) => meaning(code, meanings)))] : [];
}

/** @param {string} code @param {Record<string, string>} meanings */
export function meaning(code, meanings) {
  return [el("dt", {}, el("code", {}, code)), el("dd", {}, ...prose(meanings[code]))];
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
    ...shown.map(({ summary, value }) => replyExample(summary ?? "", value)),
  );
}
