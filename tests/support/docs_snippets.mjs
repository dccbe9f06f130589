// Prints the snippets of the API's page, in its order, as JSON: node docs_snippets.mjs LANGUAGE ORIGIN

import { readFileSync } from "node:fs";
import { inOrder } from "../../src/site/docs/commands/command.js";
import { snippets } from "../../src/site/docs/commands/languages.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../src/site/${path}`, import.meta.url), "utf8"));
const [language, origin] = process.argv.slice(2);
const shown = inOrder(read("openapi.json"), read("docs/commands.json")).flatMap(({ operation, calls }) =>
  snippets(language, operation, calls, origin, {}).map(({ call, text, language }) => ({
    operation: operation.operationId,
    title: call.title,
    status: call.status,
    language,
    text,
  })),
);
console.log(JSON.stringify(shown));
