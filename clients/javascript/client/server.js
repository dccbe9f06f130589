/** The server that is used where none is named, in the npm package: there is none, but for what the environment says. */

import { noServer } from "./errors.js";

/** `WAYPOST_URL` of the environment. Throws `WaypostError` `no_base_url` without it. */
export function ownOrigin() {
  const said = fromEnvironment();
  if (!said) throw noServer(", or set WAYPOST_URL where there is an environment");
  return said;
}

/** @returns {string | undefined} */
function fromEnvironment() {
  try {
    return /** @type {any} */ (globalThis).process?.env?.WAYPOST_URL;
  } catch {
    // Deno without --allow-env.
    return undefined;
  }
}
