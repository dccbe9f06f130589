// The TypeScript SDK against the Worker and a tab: both of its generations, and of the second one each mode.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { openTab } from "./open-tab.mjs";
import { CLIENTS } from "./sdk-clients.mjs";

const WAYPOST = process.env.WAYPOST_URL;
/** The table of definitions that the server takes and refuses. */
const DEFINITIONS = JSON.parse(readFileSync(new URL("../../client/tool-definitions.json", import.meta.url), "utf8"));
const PATIENCE_MS = 40_000;

async function until(look) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20)) if (look()) return;
  assert.fail(`not within ${PATIENCE_MS} ms: ${look}`);
}

/** `fetch` whose streams break off after the first event that holds `word`; `broken` counts them. */
function breaking(word) {
  const breaks = { broken: 0 };
  breaks.fetch = async (url, options) => {
    const response = await fetch(url, options);
    if (options.method !== "POST" || !response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    const decoder = new TextDecoder();
    const cut = new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk);
        if (!decoder.decode(chunk, { stream: true }).includes(word)) return;
        breaks.broken += 1;
        controller.error(new TypeError("terminated"));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
  return breaks;
}

/** `POST` or `PUT`, as a program that is no browser does it. */
async function send(method, path, body, token = "") {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const reply = await fetch(`${WAYPOST}${path}`, { method, headers, body: JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
}

describe("the TypeScript SDK", { concurrency: true }, () => {
  for (const [name, kind] of Object.entries(CLIENTS)) {
    describe(name, { concurrency: false }, () => {
      let tab;
      let mcp;
      const runs = (tool) => tab.events.filter((event) => event.tool === tool && !event.repeat);

      before(async () => {
        tab = await openTab(WAYPOST);
        mcp = await kind.connect(tab.url);
      });
      after(async () => {
        await mcp.client.close();
        tab.leave();
      });

      test("it agrees on the revision", () => {
        assert.equal(mcp.agreed(), kind.version);
        assert.equal(mcp.client.getServerVersion().name, "waypost");
        assert.match(mcp.client.getInstructions(), /^The tools are those of a program/);
      });

      test("it lists the tools, calls one, and holds the answer against the schema of its output", async () => {
        const { tools } = await mcp.client.listTools();
        assert.deepEqual(tools.find(({ name }) => name === "add").inputSchema.required, ["a", "b"]);
        const { content, structuredContent } = await mcp.call("add", { a: 1, b: 2 });
        assert.deepEqual(structuredContent, { sum: 3 });
        assert.deepEqual(content, [{ type: "text", text: '{"sum":3}' }]);
      });

      test("it reads every list that the server takes, and no bad definition beside the good ones", async () => {
        const { body: session } = await send("POST", "/api/sessions", {});
        const put = (tools) => send("PUT", `/api/sessions/${session.code}/tools`, { tools }, session.hostToken);
        const taken = DEFINITIONS.normalised.map(({ tool }, index) => ({ ...tool, name: `t${index}` }));
        const bad = DEFINITIONS.refused.map(({ tool }, index) => ({ ...tool, name: `bad${index}` }));
        const faulty = bad.filter((_tool, index) => DEFINITIONS.refused[index].pointer !== "/name");
        assert.equal((await put(taken)).status, 200);
        const { status, body } = await put([...taken, ...faulty]);
        assert.deepEqual([status, body.tools.map(({ tool }) => tool)], [400, faulty.map(({ name }) => name)]);
        const other = await kind.connect(`${WAYPOST}/mcp/${session.code}`);
        // Twice, since the SDK compiles the schemas of each list.
        for (let time = 0; time < 2; time++) {
          const { tools } = await other.client.listTools();
          assert.deepEqual(tools.map(({ name }) => name), taken.map(({ name }) => name));
        }
        await other.client.close();
      });

      test("it calls a tool by the name that models take, and by its own", async () => {
        tab.offer(`cart.add/${name.length}`);
        const mapped = `cart_add_${name.length}`;
        let listed;
        for (const end = Date.now() + PATIENCE_MS; !listed && Date.now() < end; await sleep(50)) {
          const { tools } = await mcp.client.listTools();
          listed = tools.find((tool) => tool.name === mapped);
        }
        assert.equal(listed.title, `cart.add/${name.length}`);
        for (const called of [mapped, listed.title]) {
          assert.equal((await mcp.call(called, {})).content[0].text, `cart.add/${name.length}`);
        }
      });

      test("it repeats an argument in a header where the tool asks for it", async () => {
        await mcp.client.listTools();
        const { content } = await mcp.call("test_headers", { region: "Île-de-France" });
        assert.equal(content[0].text, "Île-de-France");
      });

      test("it hears how far a call is", async () => {
        const heard = [];
        await mcp.call("test_tool_with_progress", {}, { onprogress: (progress) => heard.push(progress) });
        const expected = [0, 50, 100].map((done) => ({ progress: done, total: 100, message: `${done} of 100` }));
        assert.deepEqual(heard, expected);
      });

      test("a call outlives ten seconds of the tool's silence, and knows that it runs", async () => {
        const heard = [];
        const count = runs("hold_silently").length;
        const answer = mcp.call("hold_silently", { kept: true }, {
          timeout: 10_000,
          resetTimeoutOnProgress: true,
          onprogress: (progress) => {
            heard.push(progress);
            // Ten seconds after the call was sent it would have been given up.
            if (heard.length === 3) tab.release();
          },
        });
        assert.deepEqual((await answer).structuredContent, { kept: true });
        assert.deepEqual(heard.map(({ message }) => message), ["Running.", "Running.", "Running."]);
        assert.ok(heard[0].progress < heard[1].progress && heard[1].progress < heard[2].progress);
        assert.equal(runs("hold_silently").length, count + 1);
      });

      test("a tool's failure is a result, a tool that is not there an error", async () => {
        const failed = await mcp.call("test_error_handling", {});
        assert.equal(failed.isError, true);
        assert.equal(failed.content[0].text, "This tool intentionally returns an error for testing");
        await assert.rejects(mcp.call("no_such_tool", {}), { code: -32602 });
      });

      test("it reads a page of the session", async () => {
        const body = JSON.stringify({ html: "<p>Hello", title: "A page", sessionId: tab.sessionId });
        const headers = { "content-type": "application/json" };
        await fetch(`${WAYPOST}/api/pages/page-${tab.code}`, { method: "PUT", headers, body });
        const { resources } = await mcp.client.listResources();
        assert.deepEqual(resources.map(({ name, mimeType }) => [name, mimeType]), [["A page", "text/html"]]);
        const { contents } = await mcp.client.readResource({ uri: resources[0].uri });
        assert.equal(contents[0].text, "<p>Hello");
      });

      test("a call that it aborts is taken back in the tab", async () => {
        const controller = new AbortController();
        const calling = mcp.call("hold", {}, { signal: controller.signal, onprogress: () => controller.abort() });
        await assert.rejects(calling);
        const { id } = runs("hold").at(-1);
        await until(() => tab.events.some((event) => event.event === "cancel" && event.id === id));
      });

      test("it hears that the tools have changed", async () => {
        let changes = 0;
        mcp.heed(() => (changes += 1));
        const subscribed = kind.isModern ? await mcp.client.listen({ toolsListChanged: true }) : null;
        tab.offer("offered_later");
        await until(() => changes > 0);
        const { tools } = await mcp.client.listTools();
        assert.ok(tools.some(({ name }) => name === "offered_later"));
        await subscribed?.close();
      });

      if (!kind.isModern) {
        test("a client that sends no session can cancel its call, and not that of one in a session", async () => {
          const hosted = await kind.connect(tab.url);
          hosted.transport._sessionId = undefined;
          const isCancelled = ({ id }) => tab.events.some((event) => event.event === "cancel" && event.id === id);
          const begun = (count) => until(() => runs("hold_silently").length === count);
          const count = runs("hold_silently").length;
          const kept = mcp.call("hold_silently", { kept: true });
          await begun(count + 1);
          const own = runs("hold_silently").at(-1);
          const controller = new AbortController();
          const taken = assert.rejects(hosted.call("hold_silently", {}, { signal: controller.signal }));
          await begun(count + 2);
          const other = runs("hold_silently").at(-1);
          // The ids that the client in the session counts through, its own among them.
          for (let requestId = 0; requestId < 30; requestId++) {
            const params = { requestId };
            if (requestId !== hosted.client._requestMessageId - 1) {
              await hosted.transport.send({ jsonrpc: "2.0", method: "notifications/cancelled", params });
            }
          }
          assert.deepEqual([isCancelled(own), isCancelled(other)], [false, false]);
          controller.abort();
          await taken;
          await until(() => isCancelled(other));
          tab.release();
          assert.deepEqual((await kept).structuredContent, { kept: true });
          assert.equal(isCancelled(own), false);
          await hosted.client.close();
        });
      }

      if (kind.version === "2025-03-26") {
        test("a batch of requests is answered, though the SDK itself sends none", async () => {
          const heard = [];
          mcp.transport.onmessage = (message) => heard.push(message);
          const ping = { jsonrpc: "2.0", id: "ping", method: "ping" };
          const params = { name: "add", arguments: { a: 3, b: 4 } };
          await mcp.transport.send([ping, { jsonrpc: "2.0", id: "add", method: "tools/call", params }]);
          assert.deepEqual(heard.map(({ id }) => id), ["ping", "add"]);
          assert.deepEqual(heard[1].result.structuredContent, { sum: 7 });
        });

        test("a link in a result is a text, since the SDK would reject the result", async () => {
          const other = await kind.connect(tab.url);
          const { content } = await other.call("link");
          assert.deepEqual(content, [{ type: "text", text: "The page: https://app.example/" }]);
          await other.client.close();
        });
      }

      if (kind.resumes) {
        test("a call whose stream breaks is taken up again, and has run once", async () => {
          const breaks = breaking("notifications/progress");
          const other = await kind.connect(tab.url, breaks);
          const before = runs("hold").length;
          const calling = other.call("hold", { kept: true }, { onprogress: () => {} });
          await until(() => breaks.broken === 1);
          tab.release();
          assert.deepEqual((await calling).structuredContent, { kept: true });
          assert.equal(runs("hold").length, before + 1);
          await other.client.close();
        });

        test("a call is taken up by another client with the token that the first one kept", async () => {
          const tokens = [];
          const first = await kind.connect(tab.url);
          const session = first.transport.sessionId;
          const controller = new AbortController();
          const gone = first.call("hold", { kept: true }, {
            onprogress: () => controller.abort(),
            onresumptiontoken: (token) => tokens.push(token),
          });
          controller.signal.addEventListener("abort", () => first.client.close());
          await assert.rejects(gone);
          const before = runs("hold").length;
          tab.release();
          mcp.transport._sessionId = session;
          const result = await mcp.call("hold", {}, { resumptionToken: tokens.at(-1) });
          assert.deepEqual(result.structuredContent, { kept: true });
          assert.equal(runs("hold").length, before);
        });
      }
    });
  }
});
