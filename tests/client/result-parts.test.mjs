/** A tool's result is shown as what it is: text, pictures, links, or JSON. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { resultParts } from "../../src/site/console/shared/result-parts.js";

const PNG = { type: "image", mimeType: "image/png", data: "iVBORw0KGgo=" };

for (const [what, value, parts] of [
  ["text", "Two\nlines", [{ kind: "text", text: "Two\nlines" }]],
  ["an object", { notes: 1 }, [{ kind: "json", value: { notes: 1 } }]],
  ["null", null, [{ kind: "json", value: null }]],
  ["a list", [1], [{ kind: "json", value: [1] }]],
  ["blocks of text", { content: [{ type: "text", text: "Hello" }] }, [{ kind: "text", text: "Hello" }]],
  ["a picture", { content: [PNG] }, [{ kind: "picture", type: "image/png", data: PNG.data }]],
  ["a link", { content: [{ type: "resource_link", uri: "page:1", name: "One" }] }, [{ kind: "link", uri: "page:1", name: "One" }]],
  ["a link without a name", { content: [{ type: "resource_link", uri: "page:1" }] }, [{ kind: "link", uri: "page:1", name: "page:1" }]],
  ["a resource", { content: [{ type: "resource", resource: { uri: "a:b", text: "Inside" } }] }, [{ kind: "text", text: "Inside" }]],
]) {
  test(`${what}`, () => assert.deepEqual(resultParts(value), parts));
}

test("structured content follows the blocks", () => {
  const value = { content: [{ type: "text", text: "One note" }], structuredContent: { notes: 1 } };
  assert.deepEqual(resultParts(value).map(({ kind }) => kind), ["text", "json"]);
});

for (const [what, value] of [
  ["content that is no list of blocks", { content: "text" }],
  ["content with something that is no block", { content: [{ type: "text", text: "a" }, 1] }],
  ["no content", { content: [] }],
]) {
  test(`${what} is JSON`, () => assert.deepEqual(resultParts(value), [{ kind: "json", value }]));
}

for (const [what, block] of [
  ["a document that calls itself a picture", { ...PNG, mimeType: "image/svg+xml" }],
  ["a picture without data", { ...PNG, data: 1 }],
  ["a picture that is too large", { ...PNG, data: "A".repeat(12_000_001) }],
  ["text without text", { type: "text" }],
  ["an unknown block", { type: "dance" }],
]) {
  test(`${what} is JSON too`, () => assert.deepEqual(resultParts({ content: [block] }), [{ kind: "json", value: block }]));
}
