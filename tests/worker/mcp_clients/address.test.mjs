// The TypeScript SDK, both of its generations, configured once with the address of a browser that opens one session after
// the other.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { createSession, Host } from "../../../src/site/waypost.js";
import { CLIENTS } from "./sdk-clients.mjs";

const WAYPOST = process.env.WAYPOST_URL;
const PATIENCE_MS = 40_000;
const AWAY = -31001;

/** A storage as a browser's tabs share it. */
function newStorage() {
  const items = new Map();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) };
}

/** The next session of the browser with this storage; its tool `which` says its number. It ends with the test. */
async function openTab(t, storage, number) {
  const session = await createSession({ baseUrl: WAYPOST, address: true, storage, data: { url: "https://app.example/" } });
  const host = new Host(session, { storage: null });
  host.tool({ name: "which", inputSchema: { type: "object" } }, () => ({ number }));
  host.tool({ name: `only_in_${number}`, inputSchema: { type: "object" } }, () => number);
  t.after(() => host.close());
  await host.connect();
  return { url: session.mcpUrl, session, end: () => host.end(), leave: () => host.close() };
}

/** A client of `kind`, closed with the test. */
async function connect(t, kind, url) {
  const mcp = await kind.connect(url);
  t.after(() => mcp.client.close());
  return mcp;
}

async function until(look) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(50)) if (await look()) return;
  assert.fail(`not within ${PATIENCE_MS} ms: ${look}`);
}

describe("the TypeScript SDK at an address that stays", { concurrency: true }, () => {
  for (const [name, kind] of Object.entries(CLIENTS)) {
    test(`${name}: a client configured once survives three new sessions of its tab`, async (t) => {
      const storage = newStorage();
      let tab = await openTab(t, storage, 0);
      const { url } = tab;
      const mcp = await connect(t, kind, url);
      for (let number = 0; number < 4; number++) {
        assert.equal(tab.url, url);
        // More than once in each session: the second one is answered from what the isolate knows.
        for (let call = 0; call < 2; call++) {
          const { structuredContent } = await mcp.call("which", {});
          assert.deepEqual(structuredContent, { number });
        }
        const { tools } = await mcp.client.listTools();
        assert.ok(kind.isModern || tools.some(({ name }) => name === `only_in_${number}`));
        if (number % 2) await tab.end();
        else tab.leave();
        if (number < 3) tab = await openTab(t, storage, number + 1);
      }
    });

    test(`${name}: a client that starts while no tab is open hears what to open, and uses the tab that is opened`, async (t) => {
      const storage = newStorage();
      const first = await openTab(t, storage, 0);
      await first.end();
      const mcp = await connect(t, kind, first.url);
      await assert.rejects(mcp.call("which", {}), (error) => {
        assert.equal(error.code, AWAY);
        assert.match(error.message, /Open https:\/\/app\.example\/ and connect it again/);
        return true;
      });
      const second = await openTab(t, storage, 1);
      assert.deepEqual((await mcp.call("which", {})).structuredContent, { number: 1 });
      await second.end();
    });

    test(`${name}: a renewed address stops, and no client asks for a sign-in`, async (t) => {
      const storage = newStorage();
      const tab = await openTab(t, storage, 0);
      const mcp = await connect(t, kind, tab.url);
      await tab.session.renewAddress(storage);
      await assert.rejects(mcp.call("which", {}), /withdrawn/);
      // With a pinned revision, the SDK reports any failure as one of the negotiation.
      await assert.rejects(kind.connect(tab.url), /withdrawn|Version negotiation failed/);
      const again = await connect(t, kind, tab.session.mcpUrl);
      assert.deepEqual((await again.call("which", {})).structuredContent, { number: 0 });
      await tab.end();
    });
  }

  // SDK 1.12 does not come back to a stream that the server has ended: it hears of the first session only.
  const listening = Object.entries(CLIENTS).filter(([name, { isModern }]) => !isModern && name !== "SDK 1.12");
  for (const [name, kind] of listening) {
    test(`${name}: a client that listens hears of the next session's tools`, async (t) => {
      const storage = newStorage();
      let tab = await openTab(t, storage, 0);
      const mcp = await connect(t, kind, tab.url);
      let changes = 0;
      mcp.heed(() => (changes += 1));
      for (let number = 1; number < 4; number++) {
        // The stream has to be open: a call tells.
        await mcp.call("which", {});
        const before = changes;
        await tab.end();
        tab = await openTab(t, storage, number);
        await until(() => changes > before);
        await until(async () => (await mcp.client.listTools()).tools.some(({ name }) => name === `only_in_${number}`));
      }
      await tab.end();
    });
  }
});
