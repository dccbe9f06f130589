/** Browser events after which a page should reconnect: it is visible again, thawed, or back on a network. */

/**
 * Calls `wake` at each of them. `certain` means that connections made before are certainly dead.
 * @param {(certain: boolean) => void} wake
 * @param {() => void} doubt called when the browser goes offline; connections may or may not survive
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
  // Another network, another address: connections made from the old one die without an error.
  globalThis.window?.addEventListener("online", () => wake(true), options);
  globalThis.window?.addEventListener("offline", doubt, options);
  return () => stop.abort();
}

/** Whether the browser says there is no network. Only a hint for people: a server on this machine stays reachable. */
export function seemsOffline() {
  return globalThis.navigator?.onLine === false;
}
