/** Setup instructions for MCP clients. `token`: null where the code is enough. */

/**
 * `how`: what to do; `text`: what to paste; `link`: opens the client, which asks for confirmation.
 * @typedef {{ how: string, text: string }} Step
 * @typedef {{ id: string, name: string, steps: Step[], link?: string }} ClientSetup
 */

const NAME = "waypost";

/**
 * @param {string} url
 * @param {string | null} token
 * @returns {ClientSetup[]}
 */
export function clientSetups(url, token) {
  const headers = token === null ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const option = token === null ? "" : ` \\\n  --header "Authorization: Bearer ${token}"`;
  const http = { type: "http", url, ...headers };
  const command = (/** @type {string} */ text) => [{ how: "Run in a terminal:", text }];
  return [
    { id: "claude-code", name: "Claude Code", steps: command(`claude mcp add --transport http ${NAME} ${url}${option}`) },
    { id: "claude", name: "Claude Desktop, claude.ai", steps: [connector(url, token)] },
    {
      id: "vscode",
      name: "VS Code",
      steps: [
        { how: "Run in a terminal:", text: `code --add-mcp '${JSON.stringify({ name: NAME, ...http })}'` },
        { how: "Or put this into .vscode/mcp.json:", text: json({ servers: { [NAME]: http } }) },
      ],
      link: `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: NAME, ...http }))}`,
    },
    {
      id: "cursor",
      name: "Cursor",
      steps: [{ how: "Put this into ~/.cursor/mcp.json:", text: json({ mcpServers: { [NAME]: { url, ...headers } } }) }],
      link: `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${encodeURIComponent(btoa(JSON.stringify({ url, ...headers })))}`,
    },
    { id: "codex", name: "Codex", steps: command(codex(url, token)) },
    { id: "gemini", name: "Gemini CLI", steps: command(`gemini mcp add --transport http ${NAME} ${url}${option}`) },
    {
      id: "inspector",
      name: "MCP Inspector",
      steps: command(`npx @modelcontextprotocol/inspector --cli ${url} \\\n  --transport http --method tools/list${option}`),
    },
    { id: "other", name: "Another client", steps: [{ how: "Most of them accept this configuration (transport: Streamable HTTP):", text: json({ mcpServers: { [NAME]: http } }) }] },
  ];
}

/** @param {string} url @param {string | null} token @returns {Step} */
function connector(url, token) {
  if (token !== null) return { how: "This server requires a token, and Claude’s connectors can’t send one. Choose another client.", text: "" };
  if (url.startsWith("https:")) return { how: "Open Customize, Connectors, Add custom connector, and enter this URL.", text: url };
  const why = "Claude connects from Anthropic’s servers, and this address is not on the internet with https.";
  const what = "Deploy Waypost (make deploy), or run a tunnel and open this page at the https address that it prints:";
  return { how: `${why} ${what}`, text: url === "" ? "" : `cloudflared tunnel --url ${new URL(url).origin}` };
}

/** It reads tokens only from the environment. @param {string} url @param {string | null} token */
function codex(url, token) {
  const add = `codex mcp add ${NAME} --url ${url}`;
  return token === null ? add : `export WAYPOST_TOKEN='${token}'\n${add} \\\n  --bearer-token-env-var WAYPOST_TOKEN`;
}

/** @param {unknown} value */
function json(value) {
  return JSON.stringify(value, null, 2);
}
