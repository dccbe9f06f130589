/** The threads of a resource, in a component. */

import { useMemo } from "react";

import { LOADING, lists, NO_THREADS, ThreadsStore } from "./threads-store.js";
import { WaypostError } from "../client/errors.js";
import { useLatest } from "./use-latest.js";
import { useShared } from "./use-shared.js";

/** @typedef {import("../waypost.js").Thread} Thread */
/** @typedef {import("./threads-store.js").ThreadsOptions} ThreadsOptions */
/** @typedef {import("./threads-store.js").ThreadsView} ThreadsView */

/**
 * Each rejects with what `waypost` rejects with, and shows its success in the list.
 * @typedef {object} ThreadsActions
 * @property {() => Promise<void>} refresh reads the list again, from its beginning
 * @property {() => Promise<void>} loadMore reads the next page, if there is one
 * @property {(threadId: string, options?: { title?: string, metadata?: Record<string, any>, agent?: string }) => Promise<Thread>} begin
 * @property {(threadId: string, change: { title?: string, archived?: boolean, metadata?: Record<string, any> }) => Promise<Thread>} change
 * @property {(threadId: string) => Promise<boolean>} remove whether there was one
 */

/**
 * The threads of a resource: an app's user. It reads the first page when it is mounted; a list may be up to a minute older
 * than what was done elsewhere.
 * @param {string | null | undefined} resourceId nothing: the list is empty
 * @param {ThreadsOptions} [options]
 * @returns {ThreadsView & ThreadsActions}
 */
export function useThreads(resourceId, options = {}) {
  const latest = useLatest(options);
  const { baseUrl, archived, metadata, limit } = options;
  const key = resourceId ? JSON.stringify([resourceId, baseUrl, archived, metadata, limit]) : null;
  const make = () => new ThreadsStore(resourceId ?? "", () => latest.current);
  const view = useShared(lists, key, make, key === null ? NO_THREADS : LOADING);
  const actions = useMemo(() => actionsOf(key), [key]);
  return useMemo(() => ({ ...view, ...actions }), [view, actions]);
}

/** @param {string | null} key @returns {ThreadsActions} */
function actionsOf(key) {
  const found = () => {
    const store = key === null ? undefined : lists.find(key);
    if (!store) throw new WaypostError("no_list", "There is no list of threads: this component has no resourceId, or is not mounted.");
    return store;
  };
  return {
    refresh: async () => found().refresh(),
    loadMore: async () => found().loadMore(),
    begin: async (threadId, options) => found().begin(threadId, options),
    change: async (threadId, change) => found().change(threadId, change),
    remove: async (threadId) => found().remove(threadId),
  };
}
