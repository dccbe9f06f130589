// The TypeScript SDK as it is: its first generation (`@modelcontextprotocol/sdk`, and a version of it that knows no
// revision later than 2025-03-26) and its second (`@modelcontextprotocol/client`), which speaks both generations of the
// protocol.

import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { Client as Client0 } from "mcp-sdk-1.12/client/index.js";
import { StreamableHTTPClientTransport as Transport0 } from "mcp-sdk-1.12/client/streamableHttp.js";
import { ToolListChangedNotificationSchema as ToolListChanged0 } from "mcp-sdk-1.12/types.js";

const INFO = { name: "a-test", version: "1.0.0" };
const RECONNECTION = {
  initialReconnectionDelay: 100,
  maxReconnectionDelay: 1000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 5,
};

/** The revision that a legacy session has agreed on: the SDK before 1.13 tells nobody. */
const agreedIn = (sessionId) => sessionId.replace(/^(\d{4})(\d\d)(\d\d)\..*/, "$1-$2-$3");

const second = (versionNegotiation, version, isModern) => ({
  version,
  isModern,
  resumes: !isModern,
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
  "SDK 1.12": {
    version: "2025-03-26",
    isModern: false,
    // Its transport takes no `fetch` that breaks its streams.
    resumes: false,
    async connect(url) {
      const client = new Client0(INFO, { capabilities: {} });
      const transport = new Transport0(new URL(url), { reconnectionOptions: RECONNECTION });
      await client.connect(transport);
      return {
        client,
        transport,
        agreed: () => agreedIn(transport.sessionId),
        call: (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
        heed: (changed) => client.setNotificationHandler(ToolListChanged0, changed),
      };
    },
  },
  "SDK 1": {
    version: "2025-11-25",
    isModern: false,
    resumes: true,
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
