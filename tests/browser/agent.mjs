// The official client of the TypeScript SDK as a process: reads a line of JSON for each thing to do, writes one for each that
// is done.
//
//     node agent.mjs URL [TOKEN]
//     {"id": 1, "do": "list"}   {"id": 2, "do": "call", "tool": "add", "args": {}}   {"id": 3, "do": "cancel", "call": 2}

import { createInterface } from "node:readline";

import { CLIENTS } from "../worker/mcp_clients/sdk-clients.mjs";

const [url, token] = process.argv.slice(2);
const withToken = (to, init) => fetch(to, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: `Bearer ${token}` } });
const { client, call } = await CLIENTS["SDK 1"].connect(url, token ? { fetch: withToken } : {});
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
/** What cancels each call that has begun. */
const calls = new Map();

const DEEDS = {
  list: async () => (await client.listTools()).tools,
  call: ({ id, tool, args }) => {
    calls.set(id, new AbortController());
    const onprogress = ({ message }) => say({ id, progress: message });
    return call(tool, args, { signal: calls.get(id).signal, onprogress });
  },
  cancel: async ({ call: id }) => calls.get(id).abort("no longer needed"),
};

for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  DEEDS[wish.do](wish).then(
    (result) => say({ id: wish.id, result: result ?? null }),
    (error) => say({ id: wish.id, error: error.message ?? `${error}` }),
  );
}
process.exit();
