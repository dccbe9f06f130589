// Large results in each generation of the TypeScript SDK: as JSON, and as an event of a stream.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { imageBytes, TOOLS } from "./large-tools.mjs";
import { openTab } from "./open-tab.mjs";
import { CLIENTS } from "./sdk-clients.mjs";

const WAYPOST = process.env.WAYPOST_URL;
const timeout = 60_000;

describe("large results", { concurrency: false }, () => {
  for (const name of ["SDK 1", "SDK 2, auto"]) {
    const kind = CLIENTS[name];
    describe(name, { concurrency: false }, () => {
      let tab;
      let mcp;

      before(async () => {
        tab = await openTab(WAYPOST, undefined, TOOLS);
        mcp = await kind.connect(tab.url);
      });
      after(async () => {
        await mcp.client.close();
        tab.leave();
      });

      for (const [bytes, slowMs] of [[1_572_864, 0], [1_572_864, 2500], [6 * 1024 * 1024 - 200, 2500]]) {
        test(`${bytes} bytes after ${slowMs} ms`, async () => {
          const { content, isError } = await mcp.call("shoot", { bytes, slowMs }, { timeout, onprogress() {} });
          assert.ok(!isError, content[0].text);
          assert.deepEqual([content.length, content[0].type, content[0].mimeType], [1, "image", "image/png"]);
          assert.ok(Buffer.from(content[0].data, "base64").equals(imageBytes(bytes)));
        });
      }

      test("a table of 20,000 rows is text and structure", async () => {
        const { content, structuredContent } = await mcp.call("tabulate", { rows: 20_000 }, { timeout });
        assert.equal(structuredContent.rows.length, 20_000);
        assert.deepEqual(JSON.parse(content[0].text), structuredContent);
      });

      test("what is more than 8 MiB is an error that says what to return", async () => {
        const { content, isError } = await mcp.call("shoot", { bytes: 6 * 1024 * 1024 }, { timeout });
        assert.equal(isError, true);
        assert.match(content[0].text, /has 8\.0 MiB of JSON, and may have 8\.0\. Return a part of it, or a smaller image/);
      });

      test("an editor's document is JSON, and loses nothing", async () => {
        const document = { type: "doc", content: [{ type: "heading", content: [{ type: "text", text: "Half \ufffd" }] }] };
        const { content, structuredContent } = await mcp.call("say_back", { value: document }, { timeout });
        assert.deepEqual([JSON.parse(content[0].text), structuredContent], [document, document]);
      });

      test("a broken block is an error that says which", async () => {
        const value = { content: [{ type: "text", text: "t" }, { type: "image", data: "AA==", mime_type: "image/png" }] };
        const { content, isError } = await mcp.call("say_back", { value }, { timeout });
        assert.equal(isError, true);
        assert.match(content[0].text, /content\[1\], of type image, has no mimeType/);
      });

      test("half an emoji in an argument and a result is one character", async () => {
        const { content } = await mcp.call("say_back", { value: ["\ud83c", "\u{1f389}".slice(0, 1)] }, { timeout });
        assert.deepEqual(JSON.parse(content[0].text), ["\ufffd", "\ufffd"]);
      });
    });
  }
});
