/** A tab as host, in a component. */

import { useMemo } from "react";

import { HostStore, hosts, NO_HOST } from "./host-store.js";
import { useLatest } from "./use-latest.js";
import { useShared } from "./use-shared.js";

/** @typedef {import("./host-store.js").HostOptions} HostOptions */
/** @typedef {import("./host-store.js").HostView} HostView */

/**
 * @typedef {object} HostActions
 * @property {string} key for `useTool()`
 * @property {() => void} retry tries now what it would try later
 * @property {() => void} takeOver becomes the host again, in the states `elsewhere` and `superseded`
 * @property {() => Promise<void>} renew opens a new session, and ends the present one then
 * @property {() => Promise<void>} end ends the session for everybody
 */

/**
 * The tab as a host. All components that use it with the same `baseUrl` and `key` share one session, which is found again
 * after a reload. It is left a moment after the last of them is gone. What the options say about the session counts when it
 * is opened. On a server, and until it is opened, its state is `opening`.
 * @param {HostOptions} [options]
 * @returns {HostView & HostActions}
 */
export function useHost(options = {}) {
  const { baseUrl = "", key: name = "", enabled = true } = options;
  const key = JSON.stringify([baseUrl, name]);
  const latest = useLatest(options);
  const view = useShared(hosts, enabled ? key : null, () => new HostStore(key, () => latest.current), NO_HOST);
  const actions = useMemo(() => actionsOf(key), [key]);
  return useMemo(() => ({ ...view, ...actions }), [view, actions]);
}

/** @param {string} key @returns {HostActions} */
function actionsOf(key) {
  return {
    key,
    retry: () => hosts.find(key)?.retry(),
    takeOver: () => hosts.find(key)?.takeOver(),
    renew: async () => hosts.find(key)?.renew(),
    end: async () => hosts.find(key)?.end(),
  };
}
