/** The objects through which pages register tools (WebMCP): `document.modelContext`, and `navigator.modelContext` of 2025 and 2026. */

/** @typedef {Record<string, any>} ModelContext */

/** Milliseconds between two looks for a context that a page's script has installed or replaced. */
export const LOOK_AGAIN_MS = 1000;

/** The contexts that the page has now, today's place first. @returns {ModelContext[]} */
export function modelContexts() {
  const { document, navigator } = globalThis;
  const todays = read(document);
  // Chromium 150 and the polyfills of today have the same object at the former place, and log a warning when it is read.
  const former = todays && isGetter(navigator) ? null : read(navigator);
  return [...new Set([todays, former])].filter((context) => context !== null);
}

/** @param {any} place @returns {ModelContext | null} */
function read(place) {
  const context = place?.modelContext;
  return context !== null && typeof context === "object" ? context : null;
}

/** @param {object | undefined} place */
function isGetter(place) {
  let at = place;
  for (; at && !Object.hasOwn(at, "modelContext"); at = Object.getPrototypeOf(at));
  return at !== undefined && at !== null && Object.getOwnPropertyDescriptor(at, "modelContext")?.get !== undefined;
}

/**
 * Calls `look` now and whenever a script of the page may have installed a context: a polyfill can come at any time.
 * @param {() => void} look
 * @returns {() => void} stops that
 */
export function lookOut(look) {
  const { document } = globalThis;
  // A script that was loaded has just run. The event of a script does not bubble, but it is captured.
  document?.addEventListener("load", look, true);
  document?.addEventListener("DOMContentLoaded", look);
  const timer = setInterval(look, LOOK_AGAIN_MS);
  look();
  return () => {
    document?.removeEventListener("load", look, true);
    document?.removeEventListener("DOMContentLoaded", look);
    clearInterval(timer);
  };
}
