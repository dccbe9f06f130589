/** The parser against the standard's own examples, its corners, and every way of cutting a stream into chunks. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SseParser } from "../../src/site/client/transport/sse.js";

const encode = (text) => new TextEncoder().encode(text);

/** Events of a whole stream, with the parser for its state. */
function parse(...chunks) {
  const parser = new SseParser();
  const events = chunks.flatMap((chunk) => parser.feed(typeof chunk === "string" ? encode(chunk) : chunk));
  return { parser, events };
}

const brief = ({ events }) => events.map((event) => [event.type, event.data]);

test("the standard's stock ticker is one message of three lines", () => {
  assert.deepEqual(brief(parse("data: YHOO\ndata: +2\ndata: 10\n\n")), [["message", "YHOO\n+2\n10"]]);
});

test("the standard's four blocks: a comment, two events, and one that resets the id", () => {
  const { events, parser } = parse(
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
  );
  assert.deepEqual(events, [
    { type: "message", data: "first event", lastEventId: "1" },
    { type: "message", data: "second event", lastEventId: "" },
    { type: "message", data: " third event", lastEventId: "" },
  ]);
  assert.equal(parser.lastEventId, "");
});

test("the standard's empty data: two events, and an unfinished block that is dropped", () => {
  assert.deepEqual(brief(parse("data\n\ndata\ndata\n\ndata:")), [["message", ""], ["message", "\n"]]);
});

test("one space after the colon is not part of the value, a second one is", () => {
  assert.deepEqual(brief(parse("data:test\n\ndata: test\n\ndata:  test\n\n")), [
    ["message", "test"],
    ["message", "test"],
    ["message", " test"],
  ]);
});

test("an event's name holds for that event alone", () => {
  assert.deepEqual(brief(parse("event: add\ndata: 1\n\ndata: 2\n\n")), [["add", "1"], ["message", "2"]]);
});

test("a block without data is no event, but its id counts and its name is forgotten", () => {
  const { events, parser } = parse("event: gone\nid: 7\n\ndata: x\n\n");
  assert.deepEqual(events, [{ type: "message", data: "x", lastEventId: "7" }]);
  assert.equal(parser.lastEventId, "7");
});

test("an id counts from the end of its block on, not before", () => {
  const { parser } = parse("id: 1\ndata: a\n\nid: 2\ndata: b");
  assert.equal(parser.lastEventId, "1");
});

test("an id with NUL in it is ignored", () => {
  assert.equal(parse("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n").parser.lastEventId, "1");
});

test("retry takes ASCII digits only", () => {
  for (const bad of ["-1", "1.5", "1e3", " 10", "10 ", "", "٣"]) {
    assert.equal(parse(`retry: ${bad}\n\n`).parser.retryMs, null, bad);
  }
  assert.equal(parse("retry: 0250\n\n").parser.retryMs, 250);
});

test("names are compared exactly, unknown ones ignored", () => {
  assert.deepEqual(brief(parse("Data: a\n data: b\ndata : c\nfoo: d\ndata: e\n\n")), [["message", "e"]]);
});

test("one BOM at the start is skipped, any other is part of the text", () => {
  assert.deepEqual(brief(parse("\uFEFFdata: \uFEFFa\n\n")), [["message", "\uFEFFa"]]);
  assert.deepEqual(brief(parse("\uFEFF\uFEFFdata: a\n\n")), []);
  assert.deepEqual(brief(parse("data: a\n\n\uFEFFdata: b\n\n")), [["message", "a"]]);
});

test("separators that other languages take for line ends are text", () => {
  const text = "a\u2028b\u2029c\u0085d\u000be\u000cf\0g";
  assert.deepEqual(brief(parse(`data: ${text}\n\n`)), [["message", text]]);
});

test("bytes that are not UTF-8 become replacement characters", () => {
  const bytes = Uint8Array.from([...encode("data: "), 0xff, 0xc3, 0x28, 0x0a, 0x0a]);
  assert.deepEqual(brief(parse(bytes)), [["message", "\uFFFD\uFFFD("]]);
});

test("a line that ends in CR is complete immediately, without waiting for what follows", () => {
  assert.deepEqual(brief(parse("data: now\r\r")), [["message", "now"]]);
});

test("an LF in the next chunk belongs to the CR before it", () => {
  assert.deepEqual(brief(parse("data: a\r", "\ndata: b\r", "\n", "\r", "\n")), [["message", "a\nb"]]);
});

test("any chunking gives the same events, with every line end", () => {
  const story =
    "\uFEFF: hello\nretry: 1500\nid: é1\nevent: ready\ndata: {\"a\":\"ü€😀\"}\n\n" +
    "data: one\ndata:\ndata:  three\n\nid\ndata: x\n\n: heartbeat\n\nevent: end\ndata: {}\n\n";
  for (const lineEnd of ["\n", "\r", "\r\n"]) {
    const bytes = encode(story.replaceAll("\n", lineEnd));
    const whole = parse(bytes);
    assert.equal(whole.events.length, 4);
    for (let first = 0; first <= bytes.length; first++) {
      for (const second of [first + 1, first + 2, first + 7, bytes.length]) {
        const cut = parse(bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second));
        assert.deepEqual(cut.events, whole.events, `${JSON.stringify(lineEnd)} cut at ${first} and ${second}`);
        assert.equal(cut.parser.retryMs, 1500);
      }
    }
    const single = parse(...[...bytes].map((byte) => Uint8Array.of(byte)));
    assert.deepEqual(single.events, whole.events);
    const mixed = parse(encode(story.replace(/\n/g, () => ["\n", "\r\n"][mixedTurn++ % 2])));
    assert.deepEqual(mixed.events, whole.events);
  }
});
let mixedTurn = 0;
