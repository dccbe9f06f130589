/** Finds routes by words, and says where the words stand. */

import { el } from "../console/shared/dom.js";
import { problemCodes } from "./document.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./document.js").Schema} Schema */
/** @typedef {import("./operation.js").Page} Page */
/** @typedef {{ card: HTMLDetailsElement, line: HTMLElement, where: HTMLElement, texts: () => string[] }} Entry */

const BEFORE = 24;
const BEHIND = 60;
const MAX_DEPTH = 6;

/**
 * Everything that a card says, piece by piece.
 * @param {Operation} operation
 * @param {Page} page
 * @returns {string[]}
 */
export function textsOf(operation, { resolver, meanings }) {
  /** @param {Schema | undefined} schema @param {number} depth @returns {string[]} */
  const fields = (schema, depth = 0) => {
    if (!schema || depth > MAX_DEPTH) return [];
    const found = resolver.resolve(schema);
    const own = Object.entries(found.properties ?? {}).flatMap(([name, field]) => [
      `${name}: ${field.description ?? resolver.resolve(field).description ?? ""}`,
      ...fields(field, depth + 1),
    ]);
    const inner = [...(found.anyOf ?? []), ...(found.oneOf ?? []), ...(found.allOf ?? []), found.items, found.contentSchema];
    return [...own, ...inner.flatMap((one) => fields(one, depth + 1))];
  };
  const replies = Object.entries(operation.responses).flatMap(([status, reply]) => {
    const found = resolver.resolve(reply);
    const codes = problemCodes(found).map((code) => `${status} ${code}: ${meanings[code] ?? ""}`);
    const content = codes.length ? [] : Object.values(found.content ?? {}).flatMap((one) => fields(one.schema));
    return [...(codes.length ? codes : [`${status}: ${found.description}`]), ...Object.keys(found.headers ?? {}), ...content];
  });
  return [
    `${operation.method} ${operation.path}`,
    operation.operationId,
    operation.summary,
    operation.description ?? "",
    ...(operation.parameters ?? []).map((one) => `${one.name}: ${one.description ?? one.schema.description ?? ""}`),
    ...Object.values(operation.requestBody?.content ?? {}).flatMap((one) => fields(one.schema)),
    ...replies,
  ].map((text) => text.replaceAll("`", ""));
}

/**
 * Shows the entries that have every word. Returns their number.
 * @param {Entry[]} entries
 * @param {string} query
 */
export function search(entries, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { card, line, where, texts } of entries) {
    const pieces = words.length ? texts() : [];
    const hits = words.map((word) => pieces.find((piece) => piece.toLowerCase().includes(word)));
    const fits = hits.every((hit) => hit !== undefined);
    card.hidden = line.hidden = !fits;
    count += fits ? 1 : 0;
    const shown = [...new Set(hits.slice(0, 2))].filter((hit) => hit !== undefined && hit !== pieces[0]);
    where.replaceChildren(...(fits ? shown.map((hit) => excerpt(/** @type {string} */ (hit), words)) : []));
  }
  return count;
}

/** The words in their piece, marked. @param {string} piece @param {string[]} words */
function excerpt(piece, words) {
  const word = words.find((one) => piece.toLowerCase().includes(one)) ?? "";
  const at = piece.toLowerCase().indexOf(word);
  const start = Math.max(0, at - BEFORE);
  const end = at + word.length;
  const rest = piece.slice(end, end + BEHIND);
  return el("span", {}, start ? "…" : "", piece.slice(start, at), el("mark", {}, piece.slice(at, end)), rest, end + rest.length < piece.length ? "…" : "");
}
