/**
 * The server that is used where none is named: the one this module came from. The npm package, which came from none, has
 * another file in this one's place: clients/javascript/server.js.
 */

import { noServer } from "./errors.js";

/** Throws `WaypostError` `no_base_url` where this module is a file: Node has it from a disk. */
export function ownOrigin() {
  const from = import.meta.url;
  if (!from?.startsWith("http")) throw noServer();
  return new URL("/", from).href;
}
