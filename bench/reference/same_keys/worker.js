// Waypost's layout of keys in JavaScript, with none of its promises beyond it: a message is a key that is written once,
// small ones travel in the metadata, what was found once is remembered in the isolate. What the store itself allows.
// It is deployed as Waypost is: with a page served as assets, and with the rate limits that are bound asked as often.
const TTL = { expirationTtl: 3600 };
const sessions = new Map();
const keys = new Map();
let last = 0;

const cursor = () => {
  last = Math.max(last + 1, Date.now() * 4096);
  return last.toString(16).padStart(16, "0");
};

async function sessionOf(env, code) {
  const known = sessions.get(code) ?? (await env.WAYPOST.get(`session:${code}`, "json"));
  if (known) sessions.set(code, known);
  return known;
}

async function spend(env, name, key) {
  if (env[name] && !(await env[name].limit({ key })).success) throw new Error(`over ${name}`);
}

const put = (env, key, message) => env.WAYPOST.put(key, "", { ...TTL, metadata: message });

const routes = {
  async "POST /api/sessions"(env, url, body, address) {
    await spend(env, "SESSION_LIMIT", address);
    const code = crypto.randomUUID().slice(0, 8);
    const session = { code, createdAt: Date.now(), hostToken: crypto.randomUUID() };
    await env.WAYPOST.put(`session:${code}`, JSON.stringify(session), { ...TTL, metadata: session });
    sessions.set(code, session);
    return Response.json(session, { status: 201 });
  },
  async "POST /api/request"(env, url, body) {
    if (!(await sessionOf(env, body.code))) return new Response(null, { status: 404 });
    await spend(env, "REQUEST_LIMIT", body.code);
    const id = body.id ?? crypto.randomUUID();
    const key = `req:${body.code}:${cursor()}`;
    await put(env, key, { id, tool: body.tool, args: body.args });
    keys.set(id, key);
    return Response.json({ id, cursor: key }, { status: 202 });
  },
  async "GET /api/poll"(env, url) {
    const code = url.searchParams.get("code");
    if (!(await sessionOf(env, code))) return new Response(null, { status: 404 });
    const page = await env.WAYPOST.list({ prefix: `req:${code}:` });
    return Response.json({ messages: page.keys.map((key) => ({ ...key.metadata, cursor: key.name })) });
  },
  async "POST /api/response"(env, url, body) {
    if (!(await sessionOf(env, body.code))) return new Response(null, { status: 404 });
    await spend(env, "REQUEST_LIMIT", `host:${body.code}`);
    await put(env, `res:${body.code}:${body.id}:${cursor()}`, { id: body.id, result: body.result });
    const key = keys.get(body.id);
    if (key) await env.WAYPOST.delete(key);
    keys.delete(body.id);
    return Response.json({ id: body.id }, { status: 202 });
  },
};

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const address = request.headers.get("CF-Connecting-IP");
    await spend(env, "ADDRESS_LIMIT", address);
    const conversation = url.pathname.match(/^\/api\/conversations\/([^/]+)(\/messages)?$/);
    if (conversation) return serveConversation(request, env, conversation[1]);
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return new Response(null, { status: 404 });
    return route(env, url, request.method === "POST" ? await request.json() : undefined, address);
  },
};

async function serveConversation(request, env, id) {
  if (request.method === "POST") {
    const { messages } = await request.json();
    await env.WAYPOST.put(`conv:${id}:${cursor()}`, JSON.stringify(messages), TTL);
    return Response.json({ messageCount: messages.length }, { status: 200 });
  }
  const [snapshot, journal] = await Promise.all([
    env.WAYPOST.get(`conv:${id}`, "json"),
    env.WAYPOST.list({ prefix: `conv:${id}:` }),
  ]);
  const names = journal.keys.map((key) => key.name);
  const entries = names.length ? await env.WAYPOST.get(names, "json") : new Map();
  const messages = [...(snapshot ?? []), ...names.flatMap((name) => entries.get(name) ?? [])];
  return Response.json({ sessionId: id, messages: messages.slice(-10) });
}
