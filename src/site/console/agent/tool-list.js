/** The tools of the joined tab: a list to choose from, and the form of the chosen one. */

import { byId, el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";
import { keep, recall } from "../shared/storage.js";
import { annotationBadges } from "./annotations.js";
import { argumentFields } from "./schema-form.js";

/** The chosen tool's name, kept over a reload. */
const CHOICE = "waypost.agent.tool";

/** So many tools are searched rather than read. */
const MANY = 10;

/** @typedef {import("../../waypost.js").ToolDefinition} ToolDefinition */

export class ToolList {
  #call;
  /** The tools on the page as JSON, so that a refresh without changes leaves forms and focus alone. */
  #shown = "";
  #selected = recall("sessionStorage", CHOICE);

  /** @param {(tool: string, args: Record<string, unknown>) => void} call the person calls a tool */
  constructor(call) {
    this.#call = call;
    this.#filter.addEventListener("input", () => this.#applyFilter());
  }

  get #filter() {
    return /** @type {HTMLInputElement} */ (byId("tools-filter"));
  }

  /** @param {ToolDefinition[]} tools */
  show(tools) {
    const text = JSON.stringify(tools);
    if (text === this.#shown) return;
    this.#shown = text;
    byId("tools-empty").hidden = tools.length > 0;
    byId("tools").replaceChildren(...tools.map((tool) => this.#choice(tool)));
    this.#filter.hidden = tools.length < MANY;
    this.#applyFilter();
    const again = tools.find(({ name }) => name === this.#selected) ?? tools[0];
    if (again) this.#select(again);
    else byId("call-place").replaceChildren();
  }

  clear() {
    this.#shown = "";
    byId("call-place").replaceChildren();
    byId("tools").replaceChildren();
  }

  focus() {
    byId("tools").querySelector("input")?.focus();
  }

  #applyFilter() {
    const wanted = this.#filter.hidden ? "" : this.#filter.value.trim().toLowerCase();
    for (const label of byId("tools").querySelectorAll("label")) {
      label.hidden = !label.textContent?.toLowerCase().includes(wanted);
    }
  }

  /** @param {ToolDefinition} tool */
  #choice(tool) {
    const radio = el("input", { type: "radio", name: "tool", onchange: () => this.#select(tool) });
    radio.value = tool.name;
    const name = el("b", { class: "tool-name" }, el("code", {}, plain(tool.name)), ...annotationBadges(tool.annotations));
    const description = el("span", {}, plain(`${tool.description ?? tool.title ?? ""}`));
    return el("label", { class: "tool" }, radio, el("span", {}, name, description));
  }

  /** @param {ToolDefinition} tool */
  #select(tool) {
    this.#selected = tool.name;
    keep("sessionStorage", CHOICE, tool.name);
    for (const radio of byId("tools").querySelectorAll("input")) radio.checked = radio.value === tool.name;
    const fields = argumentFields(tool.inputSchema);
    const form = el("form", { class: "call", "aria-label": `Arguments of ${tool.name}` }, ...fields.elements);
    if (fields.elements.length === 0) form.append(el("p", { class: "hint" }, "This tool takes no arguments."));
    form.append(el("button", { class: "primary" }, "Call ", el("code", {}, plain(tool.name))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#call(tool.name, fields.read());
    });
    byId("call-place").replaceChildren(form);
  }
}
