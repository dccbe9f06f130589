/** Markdown that grows: what is complete stays, only the end is lexed again, and half a mark does not show. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { installDocument } from "./fake-document.mjs";

installDocument();

const { Blocks } = await import("../../src/site/console/markdown/blocks.js");
const { withoutForming } = await import("../../src/site/console/markdown/forming.js");
const { GrowingBlocks } = await import("../../src/site/console/markdown/growing-blocks.js");
const { lex } = await import("../../src/site/console/markdown/lexing.js");
const { MarkdownText } = await import("../../src/site/console/markdown/markdown-text.js");
const { Pace } = await import("../../src/site/console/markdown/pace.js");

const ANSWER = `# Down

Take the **lower** path, see [the map](https://map.example).
It is \`steep\`.
- one
- two

  more of two

1. a

2. b

| Leg | Time |
|-----|------|
| Mill | 2 h |

> quoted
> twice

\`\`\`js
const a = 1;

const b = 2;
\`\`\`

Last
---
`;

/** Cuts a text into pieces of a size. */
const pieces = (text, size) => Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));

for (const size of [1, 2, 3, 7, 50]) {
  test(`in pieces of ${size} characters it becomes what it is as a whole`, () => {
    for (const source of [ANSWER, ANSWER.replaceAll("\n", "\r\n")]) {
      const blocks = new GrowingBlocks();
      const trees = new Blocks();
      const settled = [];
      let raw = "";
      for (const piece of pieces(source, size)) {
        blocks.append(piece);
        const taken = blocks.take();
        settled.push(...trees.trees(taken.settled));
        raw += taken.settled.map((token) => token.raw).join("");
        assert.ok(ANSWER.startsWith(raw));
      }
      const whole = new Blocks().trees(lex(ANSWER));
      assert.deepEqual(new Blocks().trees(blocks.finish()), whole);
      assert.ok(settled.length >= 7, `${settled.length} blocks have settled`);
      assert.deepEqual(settled, whole.slice(0, settled.length));
    }
  });
}

test("a long answer is not lexed again from its beginning", () => {
  const block = "Take the **lower** path by the lake, and the `mill` after two hours.\n\n- one\n- two\n\n";
  const perCharacter = (/** @type {number} */ count) => {
    const text = block.repeat(count);
    const blocks = new GrowingBlocks();
    for (const piece of pieces(text, 5)) {
      blocks.append(piece);
      blocks.take();
    }
    return blocks.lexed / text.length;
  };
  const few = perCharacter(20);
  const many = perCharacter(400);
  assert.ok(many < few * 1.1, `${few} characters for each at the first, ${many} in the long run`);
  assert.ok(many < (3 * block.length) / 5);
});

const FORMING = [
  ["paragraph", "a **bold", "a **bold**"],
  ["paragraph", "a **bold ", "a **bold**"],
  ["paragraph", "a **", "a "],
  ["paragraph", "a *b and **c", "a *b and **c***"],
  ["paragraph", "a `code", "a `code`"],
  ["paragraph", "a `", "a "],
  ["paragraph", "``a`b", "``a`b``"],
  ["paragraph", "**b `c", "**b `c`**"],
  ["paragraph", "**a** and *b* `c*` ~~d", "**a** and *b* `c*` ~~d~~"],
  ["paragraph", "one **two\n\nthree", "one **two\n\nthree"],
  ["paragraph", "see [the map](https://ma", "see the map"],
  ["paragraph", "see **[the map](https://ma", "see **the map**"],
  ["paragraph", "see ![the map](htt", "see the map"],
  ["paragraph", "see [the map](https://map.example) and", "see [the map](https://map.example) and"],
  ["heading", "a\n-", "a"],
  ["heading", "a\n==", "a"],
  ["paragraph", "a\n- ", "a"],
  ["paragraph", "a\n1.", "a"],
  ["paragraph", "a\n###", "a"],
  ["paragraph", "a\n``", "a"],
  ["list", "- a\n-", "- a"],
  ["list", "- a **b", "- a **b**"],
  ["list", "- **a\n- b", "- **a\n- b"],
  ["blockquote", "> a *b", "> a *b*"],
  ["heading", "# a *b", "# a *b*"],
  ["paragraph", "| a | b |", ""],
  ["paragraph", "x\n| a | b |\n|--", "x"],
  ["code", "```js\nx\n``", "```js\nx\n"],
];

test("half a mark does not show, and what it marks looks as it will", () => {
  for (const [type, text, shown] of FORMING) assert.equal(withoutForming(text, type), shown, text);
});

test("characters that are no marks stay", () => {
  for (const text of ["2 * 3", "5*3", "a * b", "snake_case", "In 2024", "a [1] b", "x | a", "a\\*b", "f(x) [y", "~", "a ~ b"]) {
    assert.equal(withoutForming(text, "paragraph"), text === "~" ? "" : text);
  }
  for (const type of ["html", "plain", "hr", ""]) assert.equal(withoutForming("**a", type), "**a");
  for (const text of ["```\na **b", "```\na\n```"]) assert.equal(withoutForming(text, "code"), text);
});

test("no word is hidden for longer than to the end of the answer", () => {
  for (const text of ["a\n-", "2024", "| a | b |", "a **", "[a](http://b"]) {
    const blocks = new GrowingBlocks();
    blocks.append(text);
    blocks.take();
    assert.equal(blocks.finish().map(({ raw }) => raw).join(""), text);
  }
});

let now = 0;
beforeEach(() => {
  now = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** Lets time pass. */
function pass(ms) {
  now += ms;
  mock.timers.tick(ms);
}

test("it is shown as often as the eye can tell, and the page has four fifths of the time", () => {
  const shown = [];
  let takes = 0;
  const pace = new Pace(() => {
    shown.push(now);
    now += takes;
  });
  pace.ask();
  pace.ask();
  pace.ask();
  assert.deepEqual(shown, [0]);
  pass(39);
  assert.deepEqual(shown, [0]);
  pass(1);
  assert.deepEqual(shown, [0, 40]);
  takes = 100;
  pass(500);
  pace.ask();
  assert.deepEqual(shown, [0, 40, 540]);
  pace.ask();
  pass(399);
  assert.equal(shown.length, 3);
  pass(1);
  assert.equal(shown.length, 4);
  pace.ask();
  pace.stop();
  pass(10_000);
  assert.equal(shown.length, 4);
});

/** Lets a text grow by these pieces, and shows each. */
function grown(...added) {
  const text = new MarkdownText();
  for (const piece of added) {
    text.grow(piece);
    pass(1000);
  }
  return text;
}

const nodesOf = (node) => node.childNodes.flatMap((child) => [child, ...nodesOf(child)]);

test("what is complete is not touched, and the last text grows in its place", () => {
  const text = grown("One **two**\n\nthree fo");
  const before = nodesOf(text.element);
  text.grow("ur **five");
  pass(1000);
  const after = nodesOf(text.element);
  for (const node of before) assert.ok(after.includes(node));
  const last = before.at(-1);
  assert.deepEqual([last.data, last.changes], ["three four ", ["append"]]);
  assert.equal(text.element.textContent, "One twothree four five");
  text.grow("**");
  pass(1000);
  text.end();
  for (const node of after) assert.ok(nodesOf(text.element).includes(node), "the end changes nothing that is right");
});

test("a button in growing code stays the same button, and the code grows", () => {
  const text = grown("```js\nlet a");
  const button = nodesOf(text.element).find(({ tag }) => tag === "button");
  text.grow(" = 1;\n```\n\nAfter\n\n");
  pass(1000);
  assert.ok(nodesOf(text.element).includes(button));
  assert.equal(nodesOf(text.element).find(({ tag }) => tag === "pre").textContent, "let a = 1;");
});

test("a block that turns out to be another one takes its place", () => {
  const text = grown("Title\nx", "\n---\n\nafter\n\n");
  assert.deepEqual(text.element.childNodes.map(({ tag }) => tag), ["h3", "p"]);
  const shorter = grown("a [b", "](https://c.example)", "\n\n- d");
  shorter.end();
  assert.deepEqual(shorter.element.childNodes.map(({ tag }) => tag), ["p", "ul"]);
});

test("what a translator has put into the page is replaced, not mended", () => {
  const text = grown("One two");
  const paragraph = text.element.childNodes[0];
  paragraph.childNodes[0].replaceWith(document.createElement("font"));
  paragraph.append("more");
  text.grow(" three");
  pass(1000);
  assert.equal(text.element.textContent, "One two three");
});

test("it says when it has grown, also when that was later than the text came", () => {
  const text = new MarkdownText({ class: "x" });
  let count = 0;
  text.element.addEventListener("grown", () => count++);
  text.grow("a");
  text.grow("b");
  assert.equal(count, 1);
  pass(1000);
  assert.equal(count, 2);
  assert.equal(text.element.attributes.class, "x");
});

test("the address of a link may come last", () => {
  const text = grown("See [it][1].\n\nMore.\n\n", "Even more.\n\n[1]: https://a.example\n");
  text.end();
  const link = nodesOf(text.element).find(({ tag }) => tag === "a");
  assert.equal(link.attributes.href, "https://a.example/");
  const half = grown("[1]: https://a.exa", "mple\n\nSee [it][1] now.\n\nx\n\ny");
  assert.equal(nodesOf(half.element).find(({ tag }) => tag === "a").attributes.href, "https://a.example/");
});
