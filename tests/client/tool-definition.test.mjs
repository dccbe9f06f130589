/** Definitions of tools: the same table as the server's, and what only a page can pass. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checkedDefinition } from "../../src/site/client/host/tool-definition.js";
import { mappedName } from "../../src/site/client/host/tool-names.js";

const table = JSON.parse(readFileSync(new URL("tool-definitions.json", import.meta.url), "utf8"));

const outputWith = (pattern) => ({ name: "t", outputSchema: { type: "object", properties: { x: { pattern } } } });

for (const { what, tool, becomes = tool } of table.normalised) {
  test(`it takes ${what}`, () => assert.deepEqual(checkedDefinition(tool), becomes));
}

for (const { what, tool, pointer, reason } of table.refused) {
  test(`it refuses ${what}`, () => {
    assert.throws(
      () => checkedDefinition(tool),
      (error) => error.code === "invalid_tool" && error.message.endsWith(`: ${pointer} ${reason}.`),
    );
  });
}

test("patterns are those of JavaScript", () => {
  for (const pattern of table.patterns.good) checkedDefinition(outputWith(pattern));
  for (const pattern of table.patterns.bad) assert.throws(() => checkedDefinition(outputWith(pattern)), /pattern must be/, pattern);
});

test("mapped names are the server's", () => {
  for (const [name, mapped] of table.names) assert.equal(mappedName(name), mapped);
});

test("the error names the tool, and cuts a name that is long", () => {
  assert.throws(() => checkedDefinition({ name: "notes:list" }), /^WaypostError: The tool "notes:list": \/name must be 1 to 128/);
  assert.throws(() => checkedDefinition({ name: "x".repeat(200) }), new RegExp(`"${"x".repeat(64)}…": /name`));
  assert.throws(() => checkedDefinition({}), /A tool: \/name must be/);
});

test("what is no JSON is refused with the tool", () => {
  const loop = { name: "round", _meta: {} };
  loop._meta.loop = loop;
  assert.throws(() => checkedDefinition(loop), /The tool "round": its definition is not JSON\. TypeError/);
  assert.throws(() => checkedDefinition({ name: "big", _meta: { n: 1n } }), /The tool "big": its definition is not JSON/);
  for (const nothing of [undefined, null, "t", 5, [], () => {}]) {
    assert.throws(() => checkedDefinition(nothing), /A tool: must be an object with a name/);
  }
});

test("half a surrogate pair in a description becomes U+FFFD", () => {
  const half = "🎉".slice(0, 1);
  const tool = checkedDefinition({ name: "t", description: `Sale ${half}`, inputSchema: { type: "object", properties: { [half]: {} } } });
  assert.equal(tool.description, "Sale \uFFFD");
  assert.deepEqual(Object.keys(tool.inputSchema.properties), ["\uFFFD"]);
});

test("it is a copy, which later changes of the page do not reach", () => {
  const mine = { name: "t", inputSchema: { type: "object", properties: {} }, handler: () => 1, title: undefined };
  const tool = checkedDefinition(mine);
  mine.inputSchema.properties.late = "no schema";
  assert.deepEqual(tool, { name: "t", inputSchema: { type: "object", properties: {} } });
});
