/** Markdown of a model as what the console shows: every text, whatever it is meant to do. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Blocks } from "../../src/site/console/markdown/blocks.js";
import { lex } from "../../src/site/console/markdown/lexing.js";
import { plainText } from "../../src/site/console/markdown/plain-text.js";
import { textOf } from "../../src/site/console/markdown/tree.js";
import { titleFrom } from "../../src/site/console/chat/titles.js";

const trees = (text) => new Blocks().trees(lex(text));

/** As HTML, to be read in a test; without the attributes that all of its kind have. */
function html(tree) {
  if (typeof tree === "string") return tree.replaceAll("<", "&lt;");
  const attributes = Object.entries(tree.props).filter(([name, value]) => value !== undefined && value !== false && !USUAL.includes(name));
  const head = [tree.tag, ...attributes.map(([name, value]) => `${name}=${value}`)].join(" ");
  return `<${head}>${tree.children.map(html).join("")}</${tree.tag}>`;
}

const USUAL = ["dir", "target", "rel", "tabindex", "role", "type", "disabled", "scope", "class"];

const shown = (text) => trees(text).map(html).join("");

const all = (text) => {
  const found = [];
  const visit = (tree) => typeof tree !== "string" && (found.push(tree), tree.children.forEach(visit));
  trees(text).forEach(visit);
  return found;
};

test("marks, links and code within a paragraph", () => {
  assert.equal(shown("a **b *c*** `d<` ~~e~~ \\*f"), "<p>a <strong>b <em>c</em></strong> <code>d&lt;</code> <del>e</del> *f</p>");
  assert.equal(shown("[map](https://map.example/x \"t\") https://a.example"), "<p><a href=https://map.example/x>map</a> <a href=https://a.example/>https://a.example</a></p>");
  assert.equal(shown("[map][1]\n\n[1]: http://r.example"), "<p><a href=http://r.example/>map</a></p>");
  assert.equal(shown("me@a.example"), "<p><a href=mailto:me@a.example>me@a.example</a></p>");
});

test("characters by name or number, but not in code", () => {
  assert.equal(trees("a &lt;b&gt; &#60; &amp;lt; &nbsp;&unknown; `&lt;`").map(textOf).join(""), "a <b> < &lt; \u00a0&unknown; &lt;");
});

test("lines stay lines", () => {
  assert.equal(shown("one\n   two  \nthree"), "<p>one\ntwo\nthree</p>");
  assert.equal(shown("| a |\n|-|\n| b<br>c |"), "<div aria-label=Table><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b\nc</td></tr></tbody></table></div>");
});

test("lists, tasks, quotes, tables and rules", () => {
  assert.equal(shown("3. a\n4. b\n   - c"), "<ol start=3><li>a</li><li>b<ul><li>c</li></ul></li></ol>");
  assert.equal(shown("- a\n\n- b"), "<ul><li><p>a</p></li><li><p>b</p></li></ul>");
  assert.equal(shown("- [ ] a\n- [x] b"), "<ul><li><input aria-label=To do></input>a</li><li><input checked=true aria-label=Done></input>b</li></ul>");
  assert.equal(shown("> a\n> b"), "<blockquote><p>a\nb</p></blockquote>");
  assert.equal(shown("a\n\n---\n\nb"), "<p>a</p><hr></hr><p>b</p>");
  const row = (cell) => `<tr><${cell}>a</${cell}><${cell} data-align=right>b</${cell}></tr>`;
  assert.equal(shown("| a | b |\n|---|--:|\n| a | b |"), `<div aria-label=Table><table><thead>${row("th")}</thead><tbody>${row("td")}</tbody></table></div>`);
});

test("code has its language and a button", () => {
  const button = "<button>Copy</button>";
  assert.equal(shown("```js title=x\nlet a = '**b**';\n```"), `<div><div><span>js</span>${button}</div><pre aria-label=Code, js><code>let a = '**b**';</code></pre></div>`);
  assert.equal(shown("```\nx"), `<div><div><span></span>${button}</div><pre aria-label=Code><code>x</code></pre></div>`);
});

test("headings leave out no level, below that of the message", () => {
  const levels = (text) => all(text).flatMap(({ tag }) => /^h(\d)$/.exec(tag)?.[1] ?? []).join("");
  assert.equal(levels("# a\n\n## b\n\n### c\n\n# d"), "3453");
  assert.equal(levels("#### a\n\n###### b\n\n## c"), "344");
  assert.equal(levels("> ### a\n\n#### b"), "34");
});

test("each block has the direction of its own text, and code is written from left to right", () => {
  const dirs = Object.fromEntries(all("שלום\n\n- a\n\n> b\n\n`c`\n\n```\nd\n```\n\n# e\n\n|f|\n|-|").map(({ tag, props }) => [tag, props.dir]));
  for (const tag of ["li", "blockquote", "h3", "table"]) assert.equal(dirs[tag], "auto", tag);
  for (const tag of ["code", "pre"]) assert.ok(all(`\`c\`\n\n\`\`\`\nd\n\`\`\``).some((one) => one.tag === tag && one.props.dir === "ltr"), tag);
  assert.equal(trees("שלום")[0].props.dir, "auto");
});

const HTML = [
  "<script>window.pwned=1</script>",
  "a <img src=x onerror=window.pwned=1> b",
  "<svg/onload=window.pwned=1>",
  "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
  "<!-- -->",
  "<style>*{display:none}</style>",
  "<a href='javascript:window.pwned=1'>click</a>",
  "<details><summary>a</summary>",
  "<b\nonclick=x>",
];

test("HTML is text", () => {
  for (const text of HTML) {
    assert.equal(trees(text).map(textOf).join(""), text);
    assert.deepEqual([...new Set(all(text).map(({ tag }) => tag))], ["p"], text);
  }
});

test("a link leads to another site or to a mailbox, and to nothing else", () => {
  const bad = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x", "//evil.example", "/docs/", "#chat=new", "?x", "ftp://a.example", "http:", "view-source:http://a.example"];
  for (const href of bad) {
    for (const text of [`[a](<${href}>)`, `![a](<${href}>)`, `[a][1]\n\n[1]: <${href}>`]) {
      assert.deepEqual(all(text).filter(({ tag }) => tag === "a"), [], text);
      assert.match(trees(text).map(textOf).join(""), /a/);
    }
  }
  for (const href of ["https://a.example/", "http://a.example/", "mailto:a@b.example"]) {
    const [link] = all(`[a](${href})`).filter(({ tag }) => tag === "a");
    assert.deepEqual(link.props, { href, target: "_blank", rel: "noopener noreferrer" });
  }
});

test("a picture is not loaded: it is a link that says where it leads", () => {
  assert.equal(shown("![the ridge](https://evil.example/p.png?q=secret)"), "<p><a href=https://evil.example/p.png?q=secret>Picture: the ridge<span> (evil.example)</span></a></p>");
  assert.equal(shown("![](https://evil.example/p.png)"), "<p><a href=https://evil.example/p.png>Picture<span> (evil.example)</span></a></p>");
  assert.equal(shown("[![b](https://i.example/b.svg)](https://c.example)"), "<p><a href=https://c.example/>Picture: b</a></p>");
});

test("a link that names another host than its own says so", () => {
  const note = (text) => all(text).filter(({ props }) => props.class === "link-host").map(textOf).join("");
  assert.equal(note("[https://bank.example](https://evil.example/login)"), " (evil.example)");
  assert.equal(note("[bank.example](https://bank.example@evil.example)"), " (evil.example)");
  assert.equal(note("[bаnk.example](https://bank.example)"), " (bank.example)");
  for (const text of ["[the bank](https://bank.example)", "[www.bank.example/x](https://bank.example/x)", "https://bank.example:8080/", "<https://Bank.example>"]) assert.equal(note(text), "");
});

const NESTED = {
  quotes: ">".repeat(10_000),
  "quotes with spaces": "> ".repeat(10_000),
  brackets: "[".repeat(10_000),
  "bracket pairs": "[".repeat(10_000) + "]".repeat(10_000),
  pictures: "![".repeat(10_000),
  "lists in one line": `${"- ".repeat(10_000)}a`,
  "numbers in one line": "1. ".repeat(10_000),
  "lists in lists": Array.from({ length: 1000 }, (_, at) => `${" ".repeat(at * 2)}- a`).join("\n"),
  "open links": "[a](b".repeat(10_000),
  "open links in angle brackets": "[a](<".repeat(10_000),
  "labels of links": "[a][".repeat(10_000),
  "marks in words": "*a**b".repeat(10_000),
  underscores: "_a".repeat(10_000),
  tildes: "~a~~b".repeat(10_000),
  backticks: `a ${"`".repeat(10_000)}`,
  "a mailbox without an end": `${"a.".repeat(10_000)}@`,
  tags: "<a ".repeat(10_000),
  attributes: `<a ${"b=c ".repeat(10_000)}`,
  comments: "<!--".repeat(10_000),
  stars: "**".repeat(10_000),
  "a word": "x".repeat(100_000),
};

for (const [what, text] of Object.entries(NESTED)) {
  // The time that a lexer with a trap takes, or the stack: this test would not end, or would throw.
  test(`ten thousand of them do no harm: ${what}`, { timeout: 60_000 }, () => {
    const letters = (/** @type {string} */ one) => one.replace(/[^a-z@]/g, "");
    assert.equal(letters(trees(`before\n\n${text}\n\nafter`).map(textOf).join("")), letters(`before${text}after`));
    assert.equal(shown(`${text}\n\n**after**`).endsWith("<p><strong>after</strong></p>") || what.startsWith("comments"), true);
  });
}

test("a quote of ten thousand lines, and as many items, are shown", () => {
  for (const [mark, tag] of [["> ", "p"], ["- ", "li"], ["1. ", "li"]]) assert.ok(all(`${mark}a\n`.repeat(10_000)).some((one) => one.tag === tag));
});

test("deep marks and blocks are shown as they were written", () => {
  const quotes = `${"> ".repeat(40)}a`;
  assert.equal(all(quotes).filter(({ tag }) => tag === "blockquote").length, 21);
  assert.match(trees(quotes).map(textOf).join(""), /^(> )+a$/);
  const marks = Array.from({ length: 30 }, (_, at) => (at % 2 ? "*" : "__"));
  const text = `${marks.map((mark) => `${mark}a `).join("")}b${marks.toReversed().map((mark) => ` a${mark}`).join("")}`;
  assert.ok(all(text).length < 30);
});

test("a large table is a table", () => {
  const table = `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(5000)}`;
  assert.equal(all(table).filter(({ tag }) => tag === "tr").length, 5001);
});

test("code with long lines is code", () => {
  const code = `before\n\n\`\`\`\n${"x".repeat(5000)}\n${" ".repeat(500)}y\n\`\`\`\n\n**after**`;
  assert.deepEqual(trees(code).map(({ tag }) => tag), ["p", "div", "p"]);
});

test("names of links are only names", () => {
  assert.equal(shown("[constructor] [__proto__][]"), "<p>[constructor] [<strong>proto</strong>][]</p>");
});

test("a title has no marks", () => {
  assert.equal(titleFrom("# Title **bold** `code`"), "Title bold code");
  assert.equal(titleFrom("- a\n- [b](http://c.example) ![d](http://e.example)\n"), "a b d");
  assert.equal(titleFrom("| a | b |\n|---|---|\n| c | d |"), "a b c d");
  assert.equal(titleFrom("```js\nlet x = 1;\n```"), "let x = 1;");
  assert.equal(titleFrom("2 * 3 * 4 = snake_case_x <b>y</b>"), "2 * 3 * 4 = snake_case_x <b>y</b>");
  for (const text of ["***", "---", ">"]) assert.equal(titleFrom(text), text);
  assert.equal(titleFrom(`> ${"word ".repeat(1000)}`).length, 48);
  assert.equal(plainText("a\n\nb"), "a b");
});
