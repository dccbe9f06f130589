/** Sends a command from the page, and shows the reply. */

import { el } from "../console/shared/dom.js";
import { commandOf, missing } from "./commands/command.js";
import { inline } from "./prose.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./commands/command.js").Call} Call */
/** @typedef {import("./choices.js").Choices} Choices */

/** The headers of a reply that say something to its reader. */
const SHOWN = ["content-type", "location", "etag", "retry-after", "ratelimit", "mcp-session-id", "waypost-before", "x-request-id", "server-timing"];
const MAX_SHOWN_CHARACTERS = 20_000;

/**
 * A button that sends the call, and where its reply is shown.
 * @param {Operation} operation
 * @param {Call} call
 * @param {Choices} choices
 * @param {Record<string, string>} meanings of problem codes
 */
export function sending(operation, call, choices, meanings) {
  const output = el("div", { class: "sent", role: "status", hidden: true });
  const button = el("button", { type: "button", class: "quiet", "aria-label": `Send: ${call.title}` }, "Send");
  button.addEventListener("click", async () => {
    button.disabled = true;
    output.hidden = false;
    output.replaceChildren(...(await send(operation, call, choices, meanings)));
    button.disabled = false;
  });
  return { button, output };
}

/**
 * @param {Operation} operation
 * @param {Call} call
 * @param {Choices} choices
 * @param {Record<string, string>} meanings
 * @returns {Promise<Node[]>}
 */
async function send(operation, call, choices, meanings) {
  if (call.makes && !choices.values[call.makes]) choices.update({ [call.makes]: newSecret() });
  const { method, url, headers, body, ...command } = commandOf(operation, call, location.origin, choices.values);
  const names = missing({ method, url, headers, body, ...command });
  if (names.length) {
    return [el("p", {}, ...inline(`\`$${names.join("`, `$")}\` is not known yet: send the commands above first, from \`openSession\` on, or fill in your session.`))];
  }
  const began = performance.now();
  try {
    const reply = await fetch(url, { method, headers, body });
    const text = await reply.text();
    const milliseconds = Math.round(performance.now() - began);
    const kept = reply.ok ? keptValues(call, reply, text) : {};
    if (Object.keys(kept).length) choices.update(kept);
    return [statusLine(reply, milliseconds), ...explained(reply, text, meanings), ...headerLines(reply), ...shownBody(text), ...told(kept)];
  } catch {
    return [el("p", {}, "The server could not be reached. Is it running, and are you online?")];
  }
}

/** @param {Response} reply @param {number} milliseconds */
function statusLine(reply, milliseconds) {
  const kind = reply.ok ? "good" : reply.status < 400 ? "warn" : "bad";
  return el("p", {}, el("b", { class: "status", "data-kind": kind }, `${reply.status}`), ` ${reply.statusText} after ${milliseconds} ms`);
}

/** What a problem means. @param {Response} reply @param {string} text @param {Record<string, string>} meanings */
function explained(reply, text, meanings) {
  if (!reply.headers.get("content-type")?.startsWith("application/problem+json")) return [];
  const { code, detail } = JSON.parse(text);
  const wait = reply.headers.get("retry-after");
  return [el("p", { class: "why" }, el("b", {}, detail)), el("p", { class: "hint" }, ...inline(`\`${code}\`: ${meanings[code] ?? ""}${wait ? ` Send it again in ${wait} s.` : ""}`))];
}

/** @param {Response} reply */
function headerLines(reply) {
  const found = SHOWN.flatMap((name) => {
    const value = reply.headers.get(name);
    return value ? [el("dt", {}, name), el("dd", {}, value)] : [];
  });
  return found.length ? [el("dl", { class: "headers" }, ...found)] : [];
}

/** @param {string} text */
function shownBody(text) {
  if (!text) return [];
  const shown = pretty(text);
  const cut = shown.length > MAX_SHOWN_CHARACTERS ? `${shown.slice(0, MAX_SHOWN_CHARACTERS)}\n…` : shown;
  return [el("pre", { class: "snippet", tabindex: "0", "aria-label": "The reply's body" }, cut)];
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** @param {Record<string, string>} kept */
function told(kept) {
  const names = Object.keys(kept);
  return names.length ? [el("p", { class: "hint" }, ...inline(`The other commands have \`$${names.join("`, `$")}\` of it now.`))] : [];
}

/**
 * The values that later commands need of this reply.
 * @param {Call} call
 * @param {Response} reply
 * @param {string} text
 * @returns {Record<string, string>}
 */
function keptValues(call, reply, text) {
  return Object.fromEntries(
    Object.entries(call.keep ?? {}).map(([name, where]) => {
      if (where.startsWith("header:")) return [name, reply.headers.get(where.slice("header:".length)) ?? ""];
      if (where.startsWith("event:")) return [name, /^id: (.*)$/m.exec(text)?.[1] ?? ""];
      let value = JSON.parse(text);
      for (const part of where.split("/").slice(1)) value = value?.[part];
      return [name, `${value ?? ""}`];
    }),
  );
}

/** 32 random bytes as base64url. */
function newSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}
