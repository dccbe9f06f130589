/** The hooks of the packed package on a server, which renders pages of many people. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { useGuest, useHost, useThreads, useTool } from "waypost/react";

import { FakeServer, until } from "./fake-server.mjs";
import { mount } from "./rendering.mjs";

test("they render what a page begins with, and do nothing", () => {
  const sent = [];
  const usual = globalThis.fetch;
  globalThis.fetch = (url) => sent.push(url);
  function Page() {
    const host = useHost();
    useTool(host, { name: "add" }, () => 1);
    const guest = useGuest("K7Q2M9XA");
    const { threads, isLoading } = useThreads("ada");
    return createElement("p", null, `${host.state} ${guest.state} ${threads.length} ${isLoading} ${host.code}`);
  }
  assert.equal(renderToString(createElement(Page)), "<p>opening joining 0 true undefined</p>");
  assert.deepEqual([sent, process.getActiveResourcesInfo().filter((name) => name === "Timeout")], [[], []]);
  globalThis.fetch = usual;
});

test("what a page is hydrated with is what it begins with, whatever has happened since", async () => {
  const server = await new FakeServer().start();
  const use = () => useHost({ baseUrl: server.url, storage: null });
  const page = mount(use);
  await until(() => page.now?.state === "online");
  assert.equal(renderToString(createElement(() => createElement("p", null, use().state))), "<p>opening</p>");
  page.unmount();
  await until(() => server.sent("POST /api/sessions/K7Q2M9XA/leave").length);
  server.stop();
});
