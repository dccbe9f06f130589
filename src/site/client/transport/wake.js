/** Signs that a page that could not hear may hear again: shown after being hidden or frozen, or back on a network. */

/**
 * Call `wake` at each sign; `certain` means that what was connected before is dead for sure.
 * @param {(certain: boolean) => void} wake
 * @param {() => void} doubt the browser has lost its network: what is connected may be dead, but need not be
 * @returns {() => void} stops listening
 */
export function listenForWake(wake, doubt) {
  const stop = new AbortController();
  const options = { signal: stop.signal };
  globalThis.document?.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && wake(false),
    options,
  );
  // Out of the back/forward cache: the browser has closed the connections of the page.
  globalThis.window?.addEventListener("pageshow", (event) => event.persisted && wake(true), options);
  // Another network, another address: connections made from the old one never say that they are dead.
  globalThis.window?.addEventListener("online", () => wake(true), options);
  globalThis.window?.addEventListener("offline", doubt, options);
  return () => stop.abort();
}

/** Whether the browser says there is no network. It can be wrong (a server on this machine), so: a hint for people. */
export function seemsOffline() {
  return globalThis.navigator?.onLine === false;
}
