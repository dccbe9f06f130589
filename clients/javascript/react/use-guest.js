/** A guest of a session, in a component. */

import { useMemo } from "react";

import { WaypostError } from "../client/errors.js";
import { joinSession } from "../waypost.js";
import { SharedStores, Store } from "./shared.js";
import { useShared } from "./use-shared.js";

/** @typedef {import("../waypost.js").CallOptions} CallOptions */
/** @typedef {import("../waypost.js").Guest} Guest */
/** @typedef {import("../waypost.js").SessionInfo} SessionInfo */

/**
 * `idle`: there is no invite yet. `failed`: the session could not be joined, because of `error`.
 * @typedef {object} GuestView
 * @property {"idle" | "joining" | "joined" | "failed"} state
 * @property {Guest | null} guest
 * @property {SessionInfo | null} session as it was when it was joined, or at the last `refresh()`: its tools, and whether the tab is there
 * @property {unknown} error
 */

/**
 * @typedef {object} GuestActions
 * @property {(tool: string, args?: Record<string, unknown>, options?: CallOptions) => Promise<any>} call as `Guest.call()`, once joined
 * @property {() => Promise<void>} refresh reads the session again
 * @property {() => void} retry joins again, in the state `failed`
 */

/** @type {GuestView} */
const IDLE = Object.freeze({ state: "idle", guest: null, session: null, error: undefined });

/** @type {GuestView} */
const JOINING = Object.freeze({ ...IDLE, state: "joining" });

/** @extends {Store<GuestView>} */
class GuestStore extends Store {
  #invite;
  #options;
  /** @type {Promise<Guest>} */
  #joined = Promise.reject(new WaypostError("not_joined", "Nothing has been joined yet."));

  /** @param {string} invite @param {{ baseUrl?: string, key?: string }} options */
  constructor(invite, options) {
    super(JOINING);
    this.#invite = invite;
    this.#options = options;
    this.#joined.catch(() => {});
  }

  /** @override */
  start() {
    this.#joined = joinSession(this.#invite, this.#options);
    this.#follow().catch((error) => this.set({ state: "failed", error }));
  }

  /** @param {string} tool @param {Record<string, unknown>} [args] @param {CallOptions} [options] */
  async call(tool, args, options) {
    return (await this.#joined).call(tool, args, options);
  }

  async refresh() {
    this.set({ session: await (await this.#joined).session() });
  }

  retry() {
    if (this.value.state !== "failed") return;
    this.set(JOINING);
    this.start();
  }

  async #follow() {
    const guest = await this.#joined;
    this.set({ guest, session: await guest.session(), state: "joined" });
  }
}

/** @type {SharedStores<GuestStore>} */
const guests = new SharedStores();

/**
 * A guest of the session that a code or a link names. It joins once, however many components use it: a code may admit only
 * the first guest.
 * @param {string | null | undefined} invite nothing: the state is `idle`
 * @param {{ baseUrl?: string, key?: string }} [options] as in `joinSession()`
 * @returns {GuestView & GuestActions}
 */
export function useGuest(invite, { baseUrl, key } = {}) {
  const id = invite ? JSON.stringify([baseUrl, key, invite]) : null;
  const make = () => new GuestStore(invite ?? "", { baseUrl, key });
  const view = useShared(guests, id, make, id === null ? IDLE : JOINING);
  const actions = useMemo(() => actionsOf(id), [id]);
  return useMemo(() => ({ ...view, ...actions }), [view, actions]);
}

/** @param {string | null} id @returns {GuestActions} */
function actionsOf(id) {
  const found = () => {
    const store = id === null ? undefined : guests.find(id);
    if (!store) throw new WaypostError("not_joined", "No session is joined: this component has no invite, or is not mounted.");
    return store;
  };
  return {
    call: async (tool, args, options) => found().call(tool, args, options),
    refresh: async () => found().refresh(),
    retry: () => found().retry(),
  };
}
