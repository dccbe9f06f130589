/** Whether an MCP client needs a token besides a session's code, as the server's operator may want (`REQUIRE_TOKEN`). */

/** Asks the server as such a client would; a code can be read without a token also where it opens nothing else. @param {string} baseUrl @param {string} code */
export async function wantsToken(baseUrl, code) {
  // Over plain HTTP the server refuses MCP requests from a page under another host name; clients get the 401 themselves.
  if (!isSecureContext) return false;
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
  const body = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
  const response = await fetch(new URL(`/mcp/${code}`, baseUrl), { method: "POST", headers, body }).catch(() => null);
  return response?.status === 401;
}
