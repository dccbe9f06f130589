/**
 * The lists of tools that browsers and polyfills have, and how each runs a tool. They know what was registered before this
 * client looked, and the forms that are tools (`<form toolname>`), but give results as text.
 */

import { definitionOf } from "./definition.js";

/** @typedef {import("./contexts.js").ModelContext} ModelContext */
/** @typedef {import("./definition.js").PageTool} PageTool */
/** @typedef {import("./definition.js").ToolContext} ToolContext */

/**
 * @typedef {object} Listing
 * @property {() => any} list
 * @property {(tool: any, args: any, signal: AbortSignal) => any} execute
 * @property {EventTarget | null} events where its changes are announced
 */

export const CHANGES = ["toolchange", "toolschanged"];

/**
 * How to list the tools of `context`; null if it has no list.
 * @param {ModelContext} context
 * @returns {Listing | null}
 */
export function listingOf(context) {
  const events = typeof context.addEventListener === "function" ? /** @type {any} */ (context) : null;
  if (isFunction(context.getTools) && isFunction(context.executeTool)) {
    return { list: () => context.getTools(), execute: (tool, args, signal) => executeTool(context, tool, args, signal), events };
  }
  if (isFunction(context.listTools) && isFunction(context.executeTool)) {
    return { list: () => context.listTools(), execute: ({ name }, args) => context.executeTool(name, args), events };
  }
  if (isFunction(context.listTools) && isFunction(context.callTool)) {
    return { list: () => context.listTools(), execute: ({ name }, args) => context.callTool({ name, arguments: args }), events };
  }
  const testing = /** @type {any} */ (globalThis.navigator)?.modelContextTesting;
  if (!isFunction(testing?.listTools) || !isFunction(testing.executeTool)) return null;
  // Chromium 146 to 149. Arguments are JSON text.
  const execute = (/** @type {any} */ { name }, /** @type {any} */ args, /** @type {AbortSignal} */ signal) =>
    testing.executeTool(name, JSON.stringify(args), { signal });
  return { list: () => testing.listTools(), execute, events: testing };
}

/**
 * The tools of a list. Of two with one name, this document's wins over a frame's.
 * @param {Listing} listing
 * @returns {Promise<Map<string, PageTool & { isOwn: boolean }>>}
 */
export async function listed(listing) {
  const found = new Map();
  for (const tool of await listing.list()) {
    const isOwn = tool.window === undefined || tool.window === globalThis.window;
    if (found.has(tool.name) && !isOwn) continue;
    const run = async (/** @type {any} */ args, /** @type {ToolContext} */ { signal, progress }) => {
      const form = formOf(tool.name);
      if (form && !form.hasAttribute("toolautosubmit")) progress("The form is filled in. Waiting for the person to submit it.");
      const result = value(await listing.execute(tool, args, signal));
      // Null: the browser submits the form, and its answer would be the next page.
      return form && result === null ? "The form is sent." : result;
    };
    try {
      found.set(tool.name, { definition: definitionOf(tool), run, isOwn });
    } catch {
      // Its schema is no JSON: a polyfill's fault, which costs this tool alone.
    }
  }
  return found;
}

/**
 * Chromium 155 and newer take the arguments as an object; 154 and older, and the polyfills, as JSON text, and lists of theirs
 * give schemas as text too. The wrong kind is refused before the tool runs, so it is safe to try the other one.
 * @param {ModelContext} context
 * @param {any} tool
 * @param {any} args
 * @param {AbortSignal} signal
 */
async function executeTool(context, tool, args, signal) {
  const forms = [args, JSON.stringify(args)];
  if (typeof tool.inputSchema === "string") forms.reverse();
  try {
    return await context.executeTool(tool, forms[0], { signal });
  } catch (error) {
    const { name, message = "" } = /** @type {Error} */ (error ?? {});
    const isWrongKind = (name === "TypeError" && /not an object/.test(message)) || /^Failed to parse input/.test(message);
    if (!isWrongKind || signal.aborted) throw error;
    return context.executeTool(tool, forms[1], { signal });
  }
}

/** A result in a list's text: JSON of an object is that object, anything else is text. @param {unknown} result */
function value(result) {
  // Browsers make text of everything, also of what returns nothing.
  if (result === "undefined") return null;
  if (typeof result !== "string") return result;
  try {
    const parsed = JSON.parse(result);
    return parsed !== null && typeof parsed === "object" ? parsed : result;
  } catch {
    return result;
  }
}

/** The form of this document that is the tool `name`. @param {string} name @returns {Element | undefined} */
function formOf(name) {
  const forms = [...(globalThis.document?.querySelectorAll?.("form[toolname]") ?? [])];
  return forms.find((form) => form.getAttribute("toolname") === name);
}

/** @param {unknown} value */
function isFunction(value) {
  return typeof value === "function";
}
