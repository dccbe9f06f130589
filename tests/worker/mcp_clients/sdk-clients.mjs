// The TypeScript SDK as it is: its first generation (`@modelcontextprotocol/sdk`) and its second
// (`@modelcontextprotocol/client`), which speaks both generations of the protocol.

import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

const INFO = { name: "a-test", version: "1.0.0" };
const RECONNECTION = {
  initialReconnectionDelay: 100,
  maxReconnectionDelay: 1000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 5,
};

const second = (versionNegotiation, version, isModern) => ({
  version,
  isModern,
  async connect(url, { fetch, capabilities = {} } = {}) {
    const client = new Client2(INFO, { versionNegotiation, capabilities });
    const transport = new Transport2(new URL(url), { fetch, reconnectionOptions: RECONNECTION });
    await client.connect(transport);
    return {
      client,
      transport,
      agreed: () => client.getNegotiatedProtocolVersion(),
      call: (name, args, options) => client.callTool({ name, arguments: args }, options),
      heed: (changed) => client.setNotificationHandler("notifications/tools/list_changed", changed),
    };
  },
});

/** Name -> the revision that it is to agree on, and how it connects. */
export const CLIENTS = {
  "SDK 1": {
    version: "2025-11-25",
    isModern: false,
    async connect(url, { fetch } = {}) {
      const client = new Client1(INFO, { capabilities: {} });
      const transport = new Transport1(new URL(url), { fetch, reconnectionOptions: RECONNECTION });
      await client.connect(transport);
      return {
        client,
        transport,
        agreed: () => transport.protocolVersion,
        call: (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
        heed: (changed) => client.setNotificationHandler(ToolListChangedNotificationSchema, changed),
      };
    },
  },
  "SDK 2, legacy": second({ mode: "legacy" }, "2025-11-25", false),
  "SDK 2, auto": second({ mode: "auto" }, "2026-07-28", true),
  "SDK 2, 2026-07-28": second({ mode: { pin: "2026-07-28" } }, "2026-07-28", true),
};
