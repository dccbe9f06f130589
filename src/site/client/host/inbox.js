/** What the host's stream brings: checked, decrypted, passed on to where it is handled. */

import { WaypostError } from "../errors.js";
import { isAboutRequest, isToolName } from "../grammar.js";

/** @typedef {import("./host-events.js").HostEvents} HostEvents */

/**
 * @typedef {object} InboxOptions
 * @property {import("../session/session.js").Session} session
 * @property {import("./connection.js").Connection} connection
 * @property {import("../crypto/host-wire.js").Wire} wire
 * @property {import("./runner.js").Runner} runner
 * @property {import("./acks.js").Acks} acks
 * @property {<Type extends keyof HostEvents>(type: Type, detail: HostEvents[Type]) => void} emit
 */

export class Inbox {
  #options;

  /** @param {InboxOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  receive(type, data) {
    const { emit, acks, runner, session, connection } = this.#options;
    const isKnown = type === "request" ? isAboutRequest(data) && isToolName(data.tool) : type !== "cancel" || isAboutRequest(data);
    if (!isKnown) {
      const error = new WaypostError("bad_event", `An event of kind ${type} has an id, a tool or a cursor that is none.`);
      emit("error", { error });
    } else if (type === "request") {
      this.#take(data).catch((error) => emit("error", { error }));
    } else if (type === "cancel") {
      acks.add(data.cursor);
      runner.cancel(data.id);
    } else if (type === "ready" || type === "session") {
      connection.greeted(data);
      session.update(data);
      emit("session", data);
    } else if (type === "gap") {
      emit("gap", data);
    }
  }

  /** @param {import("./runner.js").Request} request */
  async #take(request) {
    const { acks, runner, wire, connection } = this.#options;
    if (request.replay && connection.hasPredecessor) request.restarted = true;
    const opened = wire.open(request);
    // No `await` on plain messages, so that they are handled synchronously.
    const isWanted = await runner.take(opened instanceof Promise ? await opened : opened);
    if (!isWanted) acks.add(request.cursor);
  }
}
