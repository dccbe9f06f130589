/** What handlers return and throw, as the answer that is sent: nothing is lost in silence. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { errorAnswer, MAX_RESULT_BYTES, resultAnswer } from "../../src/site/client/host/tool-answer.js";
import { shorten, toJson, utf8Length } from "../../src/site/client/json.js";

const PNG = Uint8Array.from({ length: 70_001 }, (_, at) => (at * 7) % 256);
const BASE64 = Buffer.from(PNG).toString("base64");
const IMAGE = { type: "image", data: BASE64, mimeType: "image/png" };
const png = (type = "image/png") => new Blob([PNG], { type });

/** The result of a handler that returned `value`. */
async function sent(value) {
  const answer = await resultAnswer(value);
  assert.ok("result" in answer, JSON.stringify(answer));
  return answer.result;
}

/** The message of the error that a handler's result becomes. */
async function refusal(value, maxBytes) {
  const { error, ...more } = await resultAnswer(value, maxBytes);
  assert.deepEqual(more, {});
  return error.message;
}

test("JSON is the result as it is", async () => {
  for (const value of [null, 0, false, "", "text", [], {}, { a: [1, { b: null }] }, Object.create(null)]) {
    assert.deepEqual(await sent(value), JSON.parse(JSON.stringify(value)));
  }
  assert.equal(await sent(undefined), null);
  class Point {
    x = 1;
    sum() {}
  }
  assert.deepEqual(await sent({ at: new Point(), left: undefined }), { at: { x: 1 } });
  assert.deepEqual(await sent(new Date(0)), "1970-01-01T00:00:00.000Z");
  assert.deepEqual(await sent({ when: new Date(0), where: new URL("https://a.b/") }), {
    when: "1970-01-01T00:00:00.000Z",
    where: "https://a.b/",
  });
  assert.deepEqual(await sent([new String("a"), new Number(1), new Boolean(false)]), ["a", 1, false]);
  const twice = { n: 1 };
  assert.deepEqual(await sent([twice, twice]), [{ n: 1 }, { n: 1 }]);
});

test("an image or a sound is a content block, alone and in a list of blocks", async () => {
  assert.deepEqual(await sent(png()), { content: [IMAGE] });
  assert.deepEqual(await sent(new File([PNG], "a.png", { type: "image/png;x=1" })), { content: [IMAGE] });
  assert.deepEqual(await sent(png("audio/wav")), { content: [{ type: "audio", data: BASE64, mimeType: "audio/wav" }] });
  const text = { type: "text", text: "t" };
  assert.deepEqual(await sent({ content: [text, png(), Promise.resolve(text)], isError: false }), {
    content: [text, IMAGE, text],
    isError: false,
  });
  const offset = new Uint8Array([1, ...PNG, 2]).subarray(1, -1);
  for (const data of [png(""), PNG, PNG.buffer, offset, new DataView(PNG.buffer)]) {
    assert.deepEqual(await sent({ content: [{ type: "image", data, mimeType: "image/png" }] }), { content: [IMAGE] });
  }
  assert.deepEqual(await sent({ content: [{ type: "image", data: png() }] }), { content: [IMAGE] });
  assert.deepEqual(await sent({ content: [{ type: "image", data: "AA==", mimeType: "x/y" }, 3] }), {
    content: [{ type: "image", data: "AA==", mimeType: "x/y" }, 3],
  });
});

test("base64 has its padding, whatever the length", async () => {
  for (const length of [0, 1, 2, 3, 24_575, 24_576, 24_577, 49_152]) {
    const bytes = PNG.subarray(0, length);
    const { content } = await sent(new Blob([bytes], { type: "image/png" }));
    assert.equal(content[0].data, Buffer.from(bytes).toString("base64"));
  }
});

test("what JSON can't carry is an error that says what it is, where, and what to return", async () => {
  const cycle = { list: [] };
  cycle.list.push(cycle);
  const cases = [
    [png("application/pdf"), /The result is a Blob of type application\/pdf\. Return its text/],
    [png(""), /The result is a Blob without a type\. Return its text/],
    [{ photo: png() }, /the result\.photo is a Blob of type image\/png\. Return it alone, or as a block of `content`\./],
    [[png("text/css")], /the result\[0\] is a Blob of type text\/css\. Return a plain object/],
    [{ content: [png(""), 1] }, /content\[0\] is a Blob without a type/],
    [{ content: [{ type: "image", data: png("") }] }, /content\[0\]\.data is a Blob without a type\. Return a block with a mimeType/],
    [{ content: [{ type: "text", text: PNG }] }, /the result\.content\[0\]\.text is a Uint8Array\. Return new Blob/],
    [new ArrayBuffer(3), /the result is a ArrayBuffer\. Return new Blob/],
    [new Map([[1, 2]]), /the result is a Map\. Return Object\.fromEntries\(map\)\./],
    [{ a: { b: [new Set()] } }, /the result\.a\.b\[0\] is a Set\. Return \[\.\.\.set\]\./],
    [new Response("x"), /the result is a Response\. Return await response\.json\(\)/],
    [new Headers(), /the result is a Headers\. /],
    [new WeakMap(), /the result is a WeakMap\. Return a plain object/],
    [/a/, /the result is a RegExp\. Return its source\./],
    [new Error("no"), /the result is a Error\. Return its message, or throw it\./],
    [Object.assign(new Error("no"), { code: 1 }), /the result is a Error\./],
    [{ error: new DOMException("no") }, /the result\.error is a DOMException\. Return its message/],
    [{ later: Promise.resolve(1) }, /the result\.later is a Promise\. Return it after `await`\./],
    [10n, /the result is a bigint\. Return `\$\{value\}` or Number\(value\)\./],
    [() => 1, /the result is a function\./],
    [{ run() {} }, /the result\.run is a function\./],
    [Symbol("s"), /the result is a symbol\./],
    [cycle, /the result\.list\[0\] contains itself\./],
    [{ get broken() { throw new Error("a getter"); } }, /^a getter$/],
    [{ toJSON() {} }, /its toJSON\(\) returns nothing/],
  ];
  for (const [value, expected] of cases) assert.match(await refusal(value), expected);
});

test("a result that is too large is refused before it is sent, with its size", async () => {
  assert.equal((await sent("x".repeat(MAX_RESULT_BYTES - 2))).length, MAX_RESULT_BYTES - 2);
  assert.match(await refusal("x".repeat(MAX_RESULT_BYTES - 1)), /has 8\.0 MiB of JSON, and may have 8\.0\. Return a part of it/);
  assert.equal(await sent("é🎉".slice(0, 3)), "é🎉");
  const { error } = await resultAnswer("é".repeat(50), 100);
  assert.equal(error.code, "answer_too_large");
  assert.deepEqual(await resultAnswer("é".repeat(49), 100), { result: "é".repeat(49) });
});

test("half an emoji is one character that says so, in results, messages and data", async () => {
  const half = "Sale \u{1f389}".slice(0, 6);
  assert.equal(await sent(half), "Sale \ufffd");
  assert.deepEqual(await sent({ [half]: [half] }), { "Sale \ufffd": ["Sale \ufffd"] });
  const thrown = Object.assign(new Error(half), { data: [half] });
  assert.deepEqual(JSON.parse(toJson(errorAnswer("tool_error", thrown))), {
    error: { code: "tool_error", message: "Sale \ufffd", data: ["Sale \ufffd"] },
  });
});

test("JSON has no halves, and nothing else changes", () => {
  const units = ["\ud83c", "\udf89", "\u{1f389}", "\\", '"', "u", "d83c", "\\ud83c", "\n", "é", "a"];
  for (let seed = 0; seed < 3000; seed++) {
    const text = Array.from({ length: seed % 9 }, (_, at) => units[(seed * (at + 3) * 7 + (seed >> at)) % units.length]).join("");
    const json = toJson({ [text]: [text] });
    const wellFormed = text.toWellFormed();
    assert.deepEqual(JSON.parse(json), { [wellFormed]: [wellFormed] });
    assert.equal(utf8Length(json), Buffer.byteLength(json));
    assert.equal(utf8Length(wellFormed), Buffer.byteLength(wellFormed));
  }
  assert.equal(toJson(undefined), undefined);
});

test("a text is shortened between its characters", () => {
  assert.equal(shorten("abc", 3), "abc");
  assert.equal(shorten("abcd", 3), "abc");
  assert.equal(shorten("ab\u{1f389}", 3), "ab");
  assert.equal(shorten("a\u{1f389}b", 3), "a\u{1f389}");
  const { error } = errorAnswer("tool_error", new Error("x" + "\u{1f389}".repeat(2500)));
  assert.equal(error.message, "x" + "\u{1f389}".repeat(1999));
});

test("what is thrown keeps its message, code and data", () => {
  const of = (thrown) => errorAnswer("tool_error", thrown).error;
  assert.deepEqual(of({ code: 7, message: "no such row" }), { code: "tool_error", message: "no such row", data: { code: 7 } });
  assert.deepEqual(of({ code: "E", message: "m", data: [1] }).data, { code: "E", data: [1] });
  assert.deepEqual(of({ message: "m", data: [1] }), { code: "tool_error", message: "m", data: [1] });
  assert.deepEqual(of(Object.assign(new Error("m"), { code: "E", data: { a: 1 } })).data, { a: 1 });
  assert.deepEqual(of({ reason: "full" }), { code: "tool_error", message: '{"reason":"full"}' });
  assert.deepEqual(of({ message: 3 }), { code: "tool_error", message: '{"message":3}' });
  assert.deepEqual(of(new Response("")), { code: "tool_error", message: "A Response was thrown." });
  assert.deepEqual(of(Object.create(null)), { code: "tool_error", message: "A object was thrown." });
  assert.deepEqual([of("text").message, of(undefined).message, of(new TypeError()).message], ["text", "undefined", "TypeError"]);
  assert.deepEqual(of(Object.assign(new Error("m"), { data: 1n })), { code: "tool_error", message: "m" });
  assert.match(of(Object.assign(new Error("m"), { data: "x".repeat(70_000) })).data, /^70002 characters of data were left out\.$/);
});
