/** A new session of this tab, as its switches say. */

import { ApiError, createSession } from "../../waypost.js";
import { wantsEncryption } from "./encryption.js";

/** A new session, with the browser's MCP address if MCP clients can use it. */
export async function openSession() {
  const options = { label: "Waypost console", encrypted: wantsEncryption() };
  try {
    return await createSession({ ...options, address: !options.encrypted });
  } catch (error) {
    // Where a code admits one guest there are no addresses.
    if (!(error instanceof ApiError) || error.code !== "address_not_allowed") throw error;
    return createSession(options);
  }
}
