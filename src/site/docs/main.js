/** The API page: shows /openapi.json and nothing else. */

import { byId, el, showBanner } from "../console/shared/dom.js";
import { operationCard } from "./operation.js";
import { Resolver, operationsOf } from "./document.js";
import { prose } from "./prose.js";

/** @typedef {import("./document.js").OpenApi} OpenApi */

/** @param {OpenApi} api */
function showIntro(api) {
  const schemes = Object.entries(api.components.securitySchemes);
  const intro = byId("intro");
  intro.hidden = false;
  intro.replaceChildren(
    el("h1", {}, `${api.info.title} ${api.info.version}`),
    ...prose(api.info.description),
    el("h3", {}, "Authorization"),
    el(
      "dl",
      { class: "schemes" },
      ...schemes.flatMap(([name, scheme]) => [
        el("dt", {}, el("code", {}, name)),
        el("dd", {}, ...prose(scheme.description)),
      ]),
    ),
  );
}

/** @param {OpenApi} api */
function showOperations(api) {
  const resolver = new Resolver(api);
  const operations = operationsOf(api);
  /** @type {Array<{ card: HTMLDetailsElement, line: HTMLElement, text: string }>} */
  const shown = [];
  for (const { name, description } of api.tags) {
    const list = el("ul");
    const section = el("section", { class: "group", "aria-labelledby": `tag-${name}` });
    section.append(el("h2", { id: `tag-${name}` }, name), el("p", { class: "hint" }, description));
    for (const operation of operations.filter((one) => one.tags.includes(name))) {
      const card = operationCard(operation, resolver);
      const line = el(
        "li",
        {},
        el(
          "a",
          { href: `#${operation.operationId}` },
          el("b", { class: "method", "data-method": operation.method }, operation.method),
          el("span", {}, operation.path),
        ),
      );
      list.append(line);
      section.append(card);
      shown.push({ card, line, text: JSON.stringify(operation).toLowerCase() });
    }
    byId("index").append(el("h3", {}, name), list);
    byId("operations").append(section);
  }
  filterBy(shown);
}

/** @param {Array<{ card: HTMLDetailsElement, line: HTMLElement, text: string }>} shown */
function filterBy(shown) {
  const field = /** @type {HTMLInputElement} */ (byId("filter"));
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { card, line, text } of shown) {
      const fits = words.every((word) => text.includes(word));
      card.hidden = line.hidden = !fits;
      count += fits ? 1 : 0;
    }
    for (const group of document.querySelectorAll(".group")) {
      /** @type {HTMLElement} */ (group).hidden = !group.querySelector("details.operation:not([hidden])");
    }
    byId("found").textContent = words.length ? `${count} of ${shown.length} routes` : `${shown.length} routes`;
  };
  field.addEventListener("input", filter);
  filter();
}

/** Open the operation that the address names. */
function openNamed() {
  const card = document.getElementById(location.hash.slice(1));
  if (!(card instanceof HTMLDetailsElement)) return;
  card.open = true;
  card.scrollIntoView();
}

async function start() {
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(`openapi.json could not be loaded: the server responded ${response.status}. Reload the page to try again.`);
    const api = /** @type {OpenApi} */ (await response.json());
    showIntro(api);
    showOperations(api);
    openNamed();
    addEventListener("hashchange", openNamed);
  } catch (error) {
    showBanner(byId("failure"), error instanceof Error ? error.message : "openapi.json could not be read. Reload the page to try again.", "bad");
  }
}

start();
