/**
 * The connection of a host: its seat in this browser, its stream, and the name of this run.
 *
 * Of several hosts of one session the newest gets the requests. In one browser only one page is the host, and a copy of it
 * waits; elsewhere the server tells the older host that it was superseded. Neither comes back by itself: see `takeOver()`.
 */

import { WaypostError } from "../errors.js";
import { isInstance } from "../grammar.js";
import { newId } from "../ids.js";
import { EventStream } from "../transport/event-stream.js";
import { Seat } from "./seat.js";

/** How long a page or a process that closes waits for its goodbye. */
const LEAVE_TIMEOUT_MS = 5000;

/** @typedef {import("../transport/event-stream.js").StreamState} StreamState */

/**
 * @typedef {object} ConnectionOptions
 * @property {import("../session/session.js").Session} session
 * @property {import("../storage/request-store.js").RequestStore} requests
 * @property {import("./tool-registry.js").ToolRegistry} tools published before the stream is opened
 * @property {import("../crypto/host-wire.js").Wire} wire
 * @property {import("./runner.js").Runner} runner
 * @property {(type: string, data: any) => void} receive called with every event that is not about the connection
 * @property {(state: StreamState) => void} report
 * @property {(error: unknown) => void} fail
 */

export class Connection {
  #options;
  #seat;
  /** @type {EventStream | null} */
  #stream = null;
  /** This run of the host, for the server; empty when it is none. */
  #instance = "";
  #hasPredecessor = false;
  /** @type {StreamState} */
  #state = { state: "waiting" };

  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.#options = options;
    const { session, requests, wire, fail } = options;
    this.#seat = new Seat({
      session,
      memory: () => ({ entries: requests.entries, cursor: requests.cursor, seen: wire.admitted }),
      adopt: ({ entries, cursor, seen }) => {
        requests.adopt(entries, cursor);
        const ran = entries.filter(([, { status }]) => status !== "cancelled").map(([id]) => id);
        return wire.adopt([...seen, ...ran]);
      },
      taken: () => this.#begin(),
      waits: () => this.#report({ state: "elsewhere" }),
      asked: () => this.#yield({ state: "superseded", since: new Date() }, () => this.#seat.giveUp()),
      left: () => this.#pause(),
      returns: () => this.#state.state !== "superseded",
      fail,
    });
    requests.changed = (id, entry) => this.#seat.changed(id, entry);
  }

  /** What was reported last. */
  get state() {
    return this.#state;
  }

  /** Whether an older host may be running what it was sent. */
  get hasPredecessor() {
    return this.#hasPredecessor;
  }

  /** Connects as soon as no other page of this browser is the host. */
  take() {
    this.#seat.take();
  }

  /** Reconnects now instead of waiting for the next attempt. */
  retry() {
    this.#stream?.retry();
  }

  /** Becomes the host again in the state `superseded`, or in place of the other page in the state `elsewhere`. */
  takeOver() {
    if (this.#state.state === "superseded") this.#resume();
    else if (this.#state.state === "elsewhere") this.#seat.request();
  }

  /** The server has greeted this host, or told it about its session. @param {{ instance?: any, tookOver?: any }} data */
  greeted({ instance, tookOver }) {
    if (isInstance(instance, this.#instance)) this.#instance = instance;
    if (tookOver === true) this.#hasPredecessor = true;
  }

  /** Stops listening, and gives the seat up. */
  close() {
    this.#seat.close();
    this.#stream?.stop();
  }

  /** The session was ended by this host. */
  ended() {
    this.#stream?.stop();
    // The stream may have reported the end before the response arrived.
    if (this.#state.state !== "ended") this.#report({ state: "ended", reason: "ended" });
  }

  /** Nothing is left to connect to. */
  forget() {
    this.#instance = "";
    this.#seat.close();
  }

  /** Says that this instance is no host any more, once. */
  async leave() {
    const [instance] = this.#instance.split(".");
    this.#instance = "";
    if (!instance || this.#options.session.isOver) return;
    try {
      const options = { body: { instance }, keepalive: true, timeoutMs: LEAVE_TIMEOUT_MS };
      await this.#options.session.http.json("POST", `/api/sessions/${this.#options.session.code}/leave`, options);
    } catch (error) {
      this.#options.fail(error);
    }
  }

  /**
   * @param {string} cursor
   * @param {AbortSignal} signal
   */
  async #open(cursor, signal) {
    const { session, tools } = this.#options;
    await tools.publish();
    /** @type {Record<string, string>} */
    const headers = { accept: "text/event-stream" };
    if (cursor) headers["last-event-id"] = cursor;
    const query = { code: session.code, instance: this.#instance };
    return session.http.open("GET", "/api/stream", { query, headers, signal });
  }

  /** Is the host of its browser, and connects. */
  #begin() {
    const { session, requests, tools, runner, receive, fail } = this.#options;
    if (this.#seat.isUncertain && session.key !== undefined) {
      // A malicious server could otherwise make this page run again what ran in the other one.
      const error = new WaypostError("not_handed_over", "The tab that had this encrypted session has closed unexpectedly.");
      return this.#report({ state: "ended", reason: error.code, error });
    }
    this.#instance = newId();
    this.#hasPredecessor = false;
    requests.refresh();
    tools.expire();
    this.#stream = new EventStream({
      open: (cursor, signal) => this.#open(cursor, signal),
      cursor: requests.cursor,
      moved: (cursor) => (requests.cursor = cursor),
      receive,
      report: (state) => (state.state === "superseded" ? this.#yield(state) : this.#report(state)),
      fail,
    });
    this.#stream.start();
    runner.resume();
  }

  /** Becomes the host again, with the lock that it has kept or as soon as it has it. */
  #resume() {
    if (this.#seat.isTaken) this.#begin();
    else this.#seat.take();
  }

  /**
   * Takes no requests any more, because another host has taken over.
   * @param {StreamState} state
   * @param {() => void} [finished] called when nothing is running any more
   */
  #yield(state, finished = () => {}) {
    this.#stream?.stop();
    this.#options.runner.finish(() => {
      // The newer host is held back what this one may have been running: no longer.
      this.leave();
      finished();
    });
    this.#report(state);
  }

  /** The page is closing; it may come back. */
  #pause() {
    this.#stream?.stop();
    this.leave();
  }

  /** @param {StreamState} state */
  #report(state) {
    this.#state = state;
    this.#options.report(state);
  }
}
