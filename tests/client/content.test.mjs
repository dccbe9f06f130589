/** The content of a chat's message as the console shows it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { contentText } from "../../src/site/console/chat/content.js";

const image = (url) => ({ type: "image_url", image_url: { url } });

test("a text is shown as it is, and so are the texts among parts", () => {
  assert.equal(contentText("Hello"), "Hello");
  const parts = [{ type: "text", text: "What is this?" }, { type: "text", text: "And this?" }];
  assert.equal(contentText(parts), "What is this?\nAnd this?");
  assert.equal(contentText([]), "");
});

test("an image is shown as its kind and size, not as its characters", () => {
  const picture = image(`data:image/png;base64,${"A".repeat(4000)}`);
  assert.equal(contentText([{ type: "text", text: "Look" }, picture]), "Look\n[image/png, 3.0 kB]");
});

test("anything else is shown as JSON", () => {
  const call = { type: "function_call", name: "add" };
  for (const content of [call, null, 3, { text: "x" }]) assert.equal(contentText(content), JSON.stringify(content, null, 2));
  for (const part of [call, image("https://example.org/x.png"), { type: "text", text: 3 }, null]) {
    assert.equal(contentText([part]), JSON.stringify(part, null, 2));
  }
});
