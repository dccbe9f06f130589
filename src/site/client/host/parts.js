/** What a host consists of, and which part calls which. */

import { Acks } from "./acks.js";
import { Approvals } from "./approvals.js";
import { Connection } from "./connection.js";
import { Inbox } from "./inbox.js";
import { PlainWire, EncryptedWire } from "../crypto/host-wire.js";
import { RequestStore } from "../storage/request-store.js";
import { retain } from "../storage/tab-storage.js";
import { Runner } from "./runner.js";
import { ToolRegistry } from "./tool-registry.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */
/** @typedef {import("../session/session.js").Session} Session */
/** @typedef {import("./approvals.js").Approver} Approver */
/** @typedef {import("./approvals.js").Decision} Decision */
/** @typedef {import("./host-events.js").HostEvents} HostEvents */

/**
 * @typedef {object} PartsOptions
 * @property {StateStorage | null} storage
 * @property {Approver} [approve]
 * @property {<Type extends keyof HostEvents>(type: Type, detail: HostEvents[Type]) => void} emit
 * @property {(state: import("../transport/event-stream.js").StreamState) => void} report
 */

/**
 * The headers that make an answer a part of its call's trace.
 * @param {{ traceparent?: string, tracestate?: string }} call
 * @returns {Record<string, string>}
 */
function traceOf({ traceparent, tracestate }) {
  if (!traceparent) return {};
  return tracestate ? { traceparent, tracestate } : { traceparent };
}

/**
 * @param {Session} session
 * @param {PartsOptions} options
 */
export function assemble(session, { storage, approve, emit, report }) {
  const fail = (/** @type {unknown} */ error) => emit("error", { error });
  const { code, key, memory, http } = session;
  /** @param {string} path @param {object} body @param {Record<string, string>} [headers] */
  const post = (path, body, headers = {}) => http.json("POST", path, { body: { code, ...body }, headers });

  retain(memory, storage, fail);
  const requests = new RequestStore(session, storage, fail);
  const wire = key === undefined ? new PlainWire() : new EncryptedWire({ code, key, memory }, storage, fail);
  if (session.isOver) wire.close();
  const acks = new Acks((cursors) => post("/api/ack", { cursors }), fail);
  const decided = (/** @type {string} */ id, /** @type {string} */ tool, /** @type {Decision} */ decision) =>
    emit("approval", { id, tool, decision });
  const approvals = new Approvals({ memory, storage, approver: approve, decided, fail });
  const tools = new ToolRegistry({
    put: (definitions) => {
      const offered = definitions.map((definition) => wire.offer(definition));
      return http.json("PUT", `/api/sessions/${code}/tools`, { body: { tools: offered } });
    },
    mapsNames: session.mapToolNames,
    fail,
  });
  const runner = new Runner({
    requests,
    tools,
    approvals,
    wire,
    send: async (call, answer, final) =>
      post("/api/response", { id: call.id, ...(await wire.answer(call, answer, final)), final }, traceOf(call)),
    emit,
  });
  /** @type {Connection} */
  const connection = new Connection({
    session,
    requests,
    tools,
    wire,
    runner,
    receive: (type, data) => inbox.receive(type, data),
    report,
    fail,
  });
  const inbox = new Inbox({ session, connection, wire, runner, acks, emit });

  /** The session is over. */
  function over() {
    acks.stop();
    runner.stop("The session is over.");
    // First, so that nothing restores the session: the state deleted next is what keeps its requests from running twice.
    session.markOver(storage);
    wire.close();
    requests.close();
    approvals.clear();
    connection.forget();
  }

  return { acks, approvals, tools, runner, connection, over };
}
