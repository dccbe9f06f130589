// The official client: calls each tool of a tab once, and writes the results to standard output.
//
//     node large_result_client.mjs URL "SDK 1"

import { CLIENTS } from "../worker/mcp_clients/sdk-clients.mjs";

const [url, generation] = process.argv.slice(2);
const mcp = await CLIENTS[generation].connect(url);
const { tools } = await mcp.client.listTools();
const results = {};
for (const { name } of tools) results[name] = await mcp.call(name, {}, { timeout: 60_000 });
await mcp.client.close();
process.stdout.write(JSON.stringify(results), () => process.exit());
