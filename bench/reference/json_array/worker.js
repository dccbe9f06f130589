// A queue on KV the way it is usually written: one key for each queue, which holds a JSON array. To add or to remove a
// message the array is read, changed and written back; readers ask once a second. Two writers at once lose messages.
const TTL = { expirationTtl: 3600 };

const read = async (env, key) => (await env.WAYPOST.get(key, "json")) ?? [];
const write = (env, key, list) => env.WAYPOST.put(key, JSON.stringify(list), TTL);

async function append(env, key, message) {
  const list = await read(env, key);
  list.push(message);
  await write(env, key, list);
}

async function removeFrom(env, key, id) {
  const list = await read(env, key);
  await write(env, key, list.filter((message) => message.id !== id));
}

const routes = {
  async "POST /api/sessions"(env) {
    const code = crypto.randomUUID();
    await env.WAYPOST.put(`session:${code}`, JSON.stringify({ createdAt: Date.now() }), TTL);
    return Response.json({ code, hostToken: code }, { status: 201 });
  },
  async "POST /api/request"(env, url, body) {
    if (!(await env.WAYPOST.get(`session:${body.code}`))) return new Response(null, { status: 404 });
    const id = body.id ?? crypto.randomUUID();
    await append(env, `requests:${body.code}`, { id, tool: body.tool, args: body.args });
    return Response.json({ id }, { status: 202 });
  },
  async "GET /api/poll"(env, url) {
    const code = url.searchParams.get("code");
    return Response.json({ messages: await read(env, `requests:${code}`) });
  },
  async "POST /api/response"(env, url, body) {
    await append(env, `responses:${body.code}`, { id: body.id, result: body.result });
    await removeFrom(env, `requests:${body.code}`, body.id);
    return Response.json({ id: body.id }, { status: 202 });
  },
  async "GET /api/answers"(env, url) {
    return Response.json({ messages: await read(env, `responses:${url.searchParams.get("code")}`) });
  },
};

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return new Response(null, { status: 404 });
    return route(env, url, request.method === "POST" ? await request.json() : undefined);
  },
};
