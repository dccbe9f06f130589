/**
 * Passes on what the host of a session remembers to the pages of this browser that wait to take over: a copy of the tab
 * has the storage of the moment in which it was copied, and would run again what has run since.
 */

/** @typedef {import("./request-store.js").Entry} Entry */
/** @typedef {[string, Entry][]} Entries */
/**
 * `seen`: the ids that an encrypted session has run; of a single change, they are in its entry. `isLast`: the host is
 * closing, and this is all that it remembers.
 * @typedef {{ entries: Entries, cursor: string, seen: string[], isLast?: boolean }} Memory
 */

/**
 * @typedef {object} HandoverOptions
 * @property {() => Memory} memory all of it
 * @property {(memory: Memory) => void} adopt called while waiting, with what the host remembers
 * @property {() => void} yield called when a waiting page asks to take over
 */

export class Handover {
  #name;
  #options;
  #isHost = false;
  /** Whether a page waits. Nothing is sent before. */
  #hasHeir = false;
  /** @type {BroadcastChannel | null} */
  #channel = null;

  /** @param {string} name of the session's stored state @param {HandoverOptions} options */
  constructor(name, options) {
    this.#name = `waypost.${name}`;
    this.#options = options;
  }

  /** Waits: asks for what the host remembers, if another page is the host, and receives each change. */
  wait() {
    this.#isHost = false;
    this.#open();
    this.#channel?.postMessage({ ask: true });
  }

  /** Asks the host to give up its place. */
  request() {
    this.#channel?.postMessage({ yield: true });
  }

  /** Is the host from now on. */
  serve() {
    this.#isHost = true;
    this.#open();
  }

  /** Passes a change on, if a page waits for it. @param {string} id @param {Entry} entry */
  changed(id, entry) {
    if (!this.#isHost || !this.#hasHeir) return;
    this.#send({ entries: [[id, entry]], cursor: "", seen: [] });
  }

  /** Ends it; a host passes on all that it remembers, so that its heir knows that it has missed nothing. */
  close() {
    if (this.#isHost && this.#hasHeir) this.#send({ ...this.#options.memory(), isLast: true });
    this.#channel?.close();
    this.#channel = null;
    this.#isHost = this.#hasHeir = false;
  }

  #open() {
    // Only where there are locks: without them no page knows that another one is the host.
    if (this.#channel || !globalThis.navigator?.locks || !globalThis.BroadcastChannel) return;
    this.#channel = new BroadcastChannel(this.#name);
    // In Node an open channel would keep the process alive.
    if ("unref" in this.#channel) /** @type {any} */ (this.#channel).unref();
    this.#channel.onmessage = ({ data }) => this.#receive(data);
  }

  /** @param {{ ask?: boolean, yield?: boolean, memory?: Memory }} message */
  #receive({ ask, yield: yields, memory }) {
    if (!this.#isHost) {
      if (memory) this.#options.adopt(memory);
    } else if (ask) {
      this.#hasHeir = true;
      this.#send(this.#options.memory());
    } else if (yields) {
      this.#options.yield();
    }
  }

  /** @param {Memory} memory */
  #send(memory) {
    this.#channel?.postMessage({ memory });
  }
}
