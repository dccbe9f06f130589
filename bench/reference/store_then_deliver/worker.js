// The same service in JavaScript as one writes it without a second thought about waiting: store, then deliver. What is
// known of a session is kept in the isolate, readers in the isolate are woken, and what need not be there for the answer
// (removing a request that is answered) goes on after it. No promise is kept beyond that: see same_keys.
const TTL = { expirationTtl: 3600 };
const HEARTBEAT_MS = 15_000;
const sessions = new Map();
const listeners = new Map();
const keys = new Map();
let last = 0;

const cursor = () => {
  last = Math.max(last + 1, Date.now() * 4096);
  return last.toString(16).padStart(16, "0");
};

const put = (env, key, message) => env.WAYPOST.put(key, "", { ...TTL, metadata: message });
const event = (name, data) => new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);

async function sessionOf(env, code) {
  const known = sessions.get(code) ?? (await env.WAYPOST.get(`session:${code}`, "json"));
  if (known) sessions.set(code, known);
  return known;
}

async function spend(env, name, key) {
  if (env[name] && !(await env[name].limit({ key })).success) throw new Error(`over ${name}`);
}

// What is published on a topic from now on, in the order of its publishing.
class Listener {
  queue = [];
  wake = () => {};
  constructor(topic) {
    this.topic = topic;
    listeners.set(topic, (listeners.get(topic) ?? new Set()).add(this));
  }
  async next(ms) {
    if (!this.queue.length) {
      await Promise.race([new Promise((resolve) => (this.wake = resolve)), scheduler.wait(ms)]);
    }
    return this.queue.shift();
  }
  close() {
    listeners.get(this.topic)?.delete(this);
  }
}

function publish(topic, message) {
  for (const listener of listeners.get(topic) ?? []) {
    listener.queue.push(message);
    listener.wake();
  }
}

const routes = {
  async "POST /api/sessions"({ env, address }) {
    await spend(env, "SESSION_LIMIT", address);
    const code = crypto.randomUUID().slice(0, 8);
    const session = { code, createdAt: Date.now(), hostToken: crypto.randomUUID() };
    await env.WAYPOST.put(`session:${code}`, JSON.stringify(session), TTL);
    sessions.set(code, session);
    return Response.json(session, { status: 201 });
  },
  async "POST /api/request"({ env, url, body }) {
    if (!(await sessionOf(env, body.code))) return new Response(null, { status: 404 });
    await spend(env, "REQUEST_LIMIT", body.code);
    const message = { id: crypto.randomUUID(), tool: body.tool, args: body.args };
    const key = `req:${body.code}:${cursor()}`;
    const answer = url.searchParams.has("wait") ? new Listener(`answer:${message.id}`) : null;
    await put(env, key, message);
    keys.set(message.id, key);
    publish(`requests:${body.code}`, message);
    if (!answer) return Response.json({ id: message.id }, { status: 202 });
    const found = await answer.next(Number(url.searchParams.get("wait")) * 1000);
    answer.close();
    return Response.json(found ?? { id: message.id }, { status: found ? 200 : 202 });
  },
  async "POST /api/response"({ env, ctx, body }) {
    if (!(await sessionOf(env, body.code))) return new Response(null, { status: 404 });
    await spend(env, "REQUEST_LIMIT", `host:${body.code}`);
    const message = { id: body.id, result: body.result };
    await put(env, `res:${body.code}:${body.id}:${cursor()}`, message);
    publish(`answer:${body.id}`, message);
    publish(`responses:${body.code}`, message);
    if (keys.has(body.id)) ctx.waitUntil(env.WAYPOST.delete(keys.get(body.id)));
    keys.delete(body.id);
    return Response.json({ id: body.id }, { status: 202 });
  },
  async "GET /api/poll"({ env, url }) {
    const code = url.searchParams.get("code");
    if (!(await sessionOf(env, code))) return new Response(null, { status: 404 });
    const page = await env.WAYPOST.list({ prefix: `req:${code}:` });
    return Response.json({ messages: page.keys.map((key) => ({ ...key.metadata, cursor: key.name })) });
  },
  async "GET /api/stream"({ env, url, request }) {
    const code = url.searchParams.get("code");
    if (!(await sessionOf(env, code))) return new Response(null, { status: 404 });
    const kind = request.headers.has("Authorization") ? "request" : "response";
    const listener = new Listener(`${kind}s:${code}`);
    const waiting = await env.WAYPOST.list({ prefix: `${kind.slice(0, 3)}:${code}:` });
    return stream(async function* () {
      yield event("ready", {});
      for (const key of waiting.keys) yield event(kind, key.metadata);
      while (true) {
        const message = await listener.next(HEARTBEAT_MS);
        yield message ? event(kind, message) : new TextEncoder().encode(": \n\n");
      }
    }, () => listener.close());
  },
  async "POST /api/chat"({ env, ctx, body }) {
    await spend(env, "ANSWER_LIMIT", body.threadId);
    const key = `thread:${body.threadId}`;
    const history = (await env.WAYPOST.get(key, "json")) ?? [];
    history.push({ role: "user", content: body.message });
    await env.WAYPOST.put(key, JSON.stringify(history), TTL);
    const model = await fetch(`${env.OPENAI_BASE_URL}/chat/completions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model: "m", stream: true, messages: history }),
    });
    const [shown, kept] = model.body.tee();
    ctx.waitUntil(remember(env, key, history, kept));
    return new Response(shown, { headers: { "Content-Type": "text/event-stream" } });
  },
};

async function remember(env, key, history, answer) {
  let content = "";
  for (const line of (await new Response(answer).text()).split("\n")) {
    if (line.startsWith("data: {")) content += JSON.parse(line.slice(6)).choices[0]?.delta.content ?? "";
  }
  await env.WAYPOST.put(key, JSON.stringify([...history, { role: "assistant", content }]), TTL);
}

async function serveDocument({ env, request, address }, key) {
  if (request.method === "GET") {
    const text = await env.WAYPOST.get(key);
    return text === null ? new Response(null, { status: 404 }) : new Response(text);
  }
  await spend(env, "APPEND_LIMIT", address);
  await env.WAYPOST.put(key, JSON.stringify(await request.json()), TTL);
  return new Response(null, { status: 201 });
}

function stream(parts, onClose) {
  const iterator = parts();
  const body = new ReadableStream({
    async pull(controller) {
      controller.enqueue((await iterator.next()).value);
    },
    cancel: onClose,
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    const address = request.headers.get("CF-Connecting-IP");
    await spend(env, "ADDRESS_LIMIT", address);
    const call = { request, env, ctx, url, address };
    if (/^\/api\/sessions\/[^/]+\/documents\/[^/]+$/.test(url.pathname)) return serveDocument(call, url.pathname);
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return new Response(null, { status: 404 });
    return route({ ...call, body: request.method === "POST" ? await request.json() : undefined });
  },
};
