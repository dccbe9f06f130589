// A client of 2026-07-28 that knows tasks: the Tasks package on the second TypeScript SDK. What goes over the wire for a
// task is left to its caller, so that is here.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import {
  createTaskSessionFromClient,
  DispatchError,
  resultFromTaskOutcome,
  taskViewFromExecutionEvent,
} from "@modelcontextprotocol/ext-tasks/client";

const VERSION = "2026-07-28";
const clientInfo = { name: "a-test", version: "1.0.0" };
const clientCapabilities = { extensions: { "io.modelcontextprotocol/tasks": {} } };

/** Sends a request as the transport would. A request without a response is no reason to give a task up. */
const dispatchTo = (url) => async (request, { signal } = {}) => {
  const { name, taskId } = request.params;
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": VERSION,
    "mcp-method": request.method,
    "mcp-name": name ?? taskId,
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: crypto.randomUUID(), ...request });
  try {
    const reply = await (await fetch(url, { method: "POST", headers, body, signal })).json();
    return reply.error ? { kind: "error", error: reply.error } : { kind: "result", result: reply.result };
  } catch (error) {
    throw new DispatchError("nobody answered", true, { cause: error });
  }
};

/** Calls a tool, and waits for the end of its task if it becomes one; `told` gets each status. */
export async function callAsTask(url, name, args, told) {
  const client = new Client(clientInfo, {
    capabilities: clientCapabilities,
    versionNegotiation: { mode: { pin: VERSION } },
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const session = createTaskSessionFromClient(client, {
    endpointId: "a-test",
    rawDispatch: dispatchTo(url),
    v2RequestFraming: { protocolVersion: VERSION, clientInfo, clientCapabilities },
  });
  const execution = await session.callTool(name, args);
  const { outcome } = await execution.settle({
    onEvent: (event) => {
      const view = taskViewFromExecutionEvent(event);
      if (view) told(view.status);
    },
  });
  return resultFromTaskOutcome(outcome);
}
