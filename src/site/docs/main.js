/** The API page: shows /openapi.json, with the commands of /docs/commands.json. */

import { byId, el, showBanner } from "../console/shared/dom.js";
import { Choices } from "./choices.js";
import { inOrder } from "./commands/command.js";
import { Resolver, meaningsOf } from "./document.js";
import { reference } from "./events.js";
import { operationCard } from "./operation.js";
import { ownSession } from "./own-session.js";
import { prose } from "./prose.js";
import { search, textsOf } from "./search.js";

/** @typedef {import("./document.js").OpenApi} OpenApi */
/** @typedef {import("./operation.js").Page} Page */
/** @typedef {import("./search.js").Entry} Entry */

/** Programs of others that show such a document: name -> its URL before that of the document. */
const VIEWERS = { Scalar: "https://client.scalar.com/?url=", "Swagger Editor": "https://editor.swagger.io/?url=" };

/** @param {OpenApi} api @param {Choices} choices */
function showIntro(api, choices) {
  const schemes = Object.entries(api.components.securitySchemes);
  const file = new URL("/openapi.json", location.href).href;
  const viewers = Object.entries(VIEWERS).flatMap(([name, url], at) => [
    at ? " or " : "",
    el("a", { href: `${url}${encodeURIComponent(file)}`, target: "_blank", rel: "noopener" }, name),
  ]);
  const intro = byId("intro");
  intro.hidden = false;
  intro.replaceChildren(
    el("h1", {}, `${api.info.title} ${api.info.version}`),
    el("p", { class: "lead" }, api.info.summary),
    ...prose(api.info.description),
    el("p", { class: "hint" }, "The same as a file: ", el("a", { href: "/openapi.json" }, "openapi.json"), ", in ", ...viewers, " (if they can reach this address)."),
    ownSession(choices),
    el("h2", {}, "Authorization"),
    el("dl", { class: "schemes" }, ...schemes.flatMap(([name, scheme]) => [el("dt", {}, el("code", {}, name)), el("dd", {}, ...prose(scheme.description))])),
  );
}

/** @param {OpenApi} api @param {import("./commands/command.js").Call[]} calls @param {Page} page */
function showCards(api, calls, page) {
  /** @type {Entry[]} */
  const entries = [];
  const ordered = inOrder(api, calls);
  for (const { name, description } of api.tags) {
    const list = group(name, description);
    for (const { operation, calls: own } of ordered.filter((one) => one.operation.tags.includes(name))) {
      const { method, operationId, path } = operation;
      let texts = /** @type {string[] | undefined} */ (undefined);
      entries.push(list.add(operationCard(operation, own, page), operationId, method, path, () => (texts ??= textsOf(operation, page))));
    }
  }
  const list = group("reference", "What several routes have in common.");
  for (const { card, id, kind, title, text } of reference(api, page)) entries.push(list.add(card, id, kind, title, () => [title, ...text]));
  return entries;
}

/**
 * A heading with cards, and the same in the index.
 * @param {string} name
 * @param {string} description
 */
function group(name, description) {
  const title = name === "mcp" ? "MCP" : name[0].toUpperCase() + name.slice(1);
  const list = el("ul");
  const section = el("section", { class: "group", "aria-labelledby": `tag-${name}` });
  section.append(el("h2", { id: `tag-${name}` }, title), el("p", { class: "hint" }, description));
  byId("index").append(el("div", { class: "part" }, el("h2", {}, title), list));
  byId("operations").append(section);
  return {
    /** @param {HTMLDetailsElement} card @param {string} id @param {string} kind @param {string} label @param {() => string[]} texts @returns {Entry} */
    add(card, id, kind, label, texts) {
      const where = el("span", { class: "where" });
      const line = el("li", {}, el("a", { href: `#${id}` }, el("b", { class: "method", "data-method": kind }, kind), el("span", {}, label), where));
      list.append(line);
      section.append(card);
      return { card, line, where, texts };
    },
  };
}

/** @param {Entry[]} entries */
function startSearch(entries) {
  const field = /** @type {HTMLInputElement} */ (byId("filter"));
  const show = () => {
    const count = search(entries, field.value);
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".group, .part"))) {
      part.hidden = !part.querySelector("details.operation:not([hidden]), li:not([hidden])");
    }
    byId("found").textContent = field.value.trim() ? `${count} of ${entries.length}` : `${entries.length} entries`;
  };
  field.addEventListener("input", show);
  show();
}

/** @param {Entry[]} entries */
function startOpening(entries) {
  const button = byId("open-all");
  const opens = () => entries.some(({ card }) => !card.open && !card.hidden);
  button.addEventListener("click", () => {
    const open = opens();
    for (const { card } of entries) if (!card.hidden) card.open = open;
    button.textContent = opens() ? "Open all" : "Close all";
  });
}

/** Open the card that the address names. */
function openNamed() {
  const card = document.getElementById(location.hash.slice(1));
  if (!(card instanceof HTMLDetailsElement)) return;
  card.open = true;
  card.scrollIntoView();
}

/** @param {string} path */
async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} could not be loaded: the server responded ${response.status}. Reload the page to try again.`);
  return response.json();
}

async function start() {
  try {
    const [api, calls] = await Promise.all([load("/openapi.json"), load("/docs/commands.json")]);
    const choices = new Choices();
    showIntro(api, choices);
    const entries = showCards(api, calls, { resolver: new Resolver(api), choices, meanings: meaningsOf(api) });
    startSearch(entries);
    startOpening(entries);
    openNamed();
    addEventListener("hashchange", openNamed);
  } catch (error) {
    showBanner(byId("failure"), error instanceof Error ? error.message : "openapi.json could not be read. Reload the page to try again.", "bad");
  }
}

start();
