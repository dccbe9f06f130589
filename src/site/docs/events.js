/** What no route has for itself: the events of streams, and the codes of problems. */

import { el } from "../console/shared/dom.js";
import { card, meaning } from "./operation.js";
import { inline, prose } from "./prose.js";
import { schemaDetails } from "./schema.js";

/** @typedef {import("./document.js").OpenApi} OpenApi */
/** @typedef {import("./document.js").Schema} Schema */
/** @typedef {import("./operation.js").Page} Page */

/** @type {Array<[id: string, schema: string, title: string, streams: string]>} */
const STREAMS = [
  ["session-events", "SessionEvent", "Events of a session", "`GET /api/stream`, and as lines with `Accept: application/x-ndjson`; `GET /api/poll` returns them as a list."],
  ["chat-events", "ChatEvent", "Events of an answer", "`POST /api/chat`, `POST /api/chat/fork` with a message, and `GET /api/chat/{threadId}/stream`."],
];

/**
 * @param {OpenApi} api
 * @param {Page} page
 * @returns {Array<{ card: HTMLDetailsElement, id: string, kind: string, title: string, text: string[] }>}
 */
export function reference(api, page) {
  const { schemas } = api.components;
  const streams = STREAMS.map(([id, name, title, text]) => {
    const events = schemas[name].anyOf ?? [];
    return {
      card: card(id, "SSE", el("span", { class: "path" }, title), text, () => [el("dl", { class: "fields" }, ...events.flatMap((event) => eventDetails(event, page)))]),
      id,
      kind: "SSE",
      title,
      text: [text, ...events.map((event) => `${event.title}: ${event.description}`)],
    };
  });
  const codes = Object.keys(page.meanings);
  const problems = () => [el("dl", { class: "fields" }, ...codes.flatMap((code) => meaning(code, page.meanings)))];
  return [
    ...streams,
    {
      card: card("problems", "JSON", el("span", { class: "path" }, "Problem codes"), "What went wrong, in a word that does not change.", problems),
      id: "problems",
      kind: "JSON",
      title: "Problem codes",
      text: codes.map((code) => `${code}: ${page.meanings[code]}`),
    },
  ];
}

/** @param {Schema} event @param {Page} page */
function eventDetails(event, { resolver }) {
  const data = event.properties?.data;
  const inner = data?.contentSchema;
  return [
    el("dt", {}, inner ? el("code", {}, event.title) : el("span", {}, event.title)),
    el("dd", {}, ...prose(event.description), ...(inner ? [el("p", { class: "type" }, ...inline("data"))] : []), ...(inner ? schemaDetails(inner, resolver) : [])),
  ];
}
