/** The languages in which the page shows calls. */

import { client } from "./client.js";
import { commandOf, filled, inJson } from "./command.js";
import { curl } from "./curl.js";
import { javascript } from "./javascript.js";
import { python } from "./python.js";

/** @typedef {import("../document.js").Operation} Operation */
/** @typedef {import("./command.js").Call} Call */
/** @typedef {"curl" | "client" | "fetch" | "python"} Language */

/** @type {Record<Language, string>} */
export const LANGUAGES = { curl: "curl", client: "waypost.js", fetch: "fetch", python: "Python" };

/**
 * The calls of an operation in a language: with waypost.js there is one, of any number.
 * @param {Language} language
 * @param {Operation} operation
 * @param {Call[]} calls
 * @param {string} origin
 * @param {Record<string, string>} values
 * @returns {Array<{ call: Call, text: string, language: Language }>}
 */
export function snippets(language, operation, calls, origin, values) {
  const own = language === "client" ? client(operation.operationId, origin, values) : undefined;
  if (own !== undefined) return [{ call: calls[0], text: own, language }];
  const known = language === "client" ? "fetch" : language;
  return calls.map((call) => {
    const command = commandOf(operation, call, origin, values);
    const body = call.type ? JSON.parse(filled(JSON.stringify(call.body), inJson(values))) : undefined;
    const text = known === "curl" ? curl(command) : known === "fetch" ? javascript(command, body) : python(command, body);
    return { call, text, language: known };
  });
}
