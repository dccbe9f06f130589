/** Just enough of a Waypost server to lose, repeat and refuse on purpose: one session, in memory. */

import { createServer } from "node:http";

export class FakeServer {
  /** Bodies of what has been sent, by "METHOD /path". @type {Record<string, any[]>} */
  got = {};
  /** Replies to give instead of the usual ones: `[pattern, status | "drop" | "lose", headers?, code?, more?]`, each used once. */
  faults = [];
  /**
   * If there is one, requests are passed on to the host and progress to guests, as this function leaves them.
   * @type {((kind: "request" | "response", body: any) => any) | null}
   */
  relay = null;
  /** How long a request waits for its answer: without a pause, a guest asks as fast as it can. */
  waitMs = 0;
  #relayed = new Set();
  #tools = [];
  /** Open streams, with the instance of the host that each is for. @type {Map<any, { id: string, since: number } | undefined>} */
  #streams = new Map();
  #starts = 0;
  /** More fields of the event `ready`. */
  ready = {};
  #cursor = 0;
  #answers = new Map();

  async start() {
    this.server = createServer(unlessLeft((request, response) => this.#serve(request, response)));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Send an event to every open stream. */
  send(event, data) {
    const cursor = cursorOf(++this.#cursor);
    this.raw(`event: ${event}\nid: ${cursor}\ndata: ${JSON.stringify({ cursor, ...data })}\n\n`);
    return cursor;
  }

  /** Send these very characters to every open stream. */
  raw(text) {
    for (const stream of this.#streams.keys()) stream.write(text);
  }

  /** Break every open stream. */
  cut() {
    for (const stream of this.#streams.keys()) stream.destroy();
  }

  /** End every open stream, as the real one does when its time is over. */
  end() {
    for (const stream of this.#streams.keys()) stream.end();
  }

  /** What has been sent to "METHOD /path". */
  sent(route) {
    return this.got[route] ?? [];
  }

  async #serve(request, response) {
    const url = new URL(request.url, this.url);
    const route = `${request.method} ${url.pathname}`;
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    const at = this.faults.findIndex(([pattern]) => route.startsWith(pattern));
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0];
    if (fault?.[1] === "drop") return request.socket.destroy();
    (this.got[route] ??= []).push({ ...body, headers: request.headers, query: Object.fromEntries(url.searchParams) });
    if (fault?.[1] === "lose") return request.socket.destroy();
    if (fault) return reply(response, fault[1], { code: fault[3] ?? "fault", detail: "On purpose.", ...fault[4] }, fault[2]);
    if (route === "GET /api/stream") return this.#stream(url.searchParams.get("instance"), response);
    if (route.endsWith("/leave")) return reply(response, 204);
    if (route === "POST /api/request") return this.#request(body, response);
    if (route === "POST /api/response") {
      const passed = this.relay?.("response", body) ?? body;
      if (passed.final) this.#answers.set(passed.id, passed);
      else if (this.relay) this.send("response", passed);
      return reply(response, 202, { id: body.id, cursor: cursorOf(++this.#cursor) });
    }
    if (route.endsWith("/cancel")) return reply(response, 202, {});
    if (request.method === "DELETE") return reply(response, 204);
    if (route.endsWith("/tools")) this.#tools = body.tools;
    reply(response, request.method === "POST" && url.pathname === "/api/sessions" ? 201 : 200, {
      code: "K7Q2M9XA",
      tools: this.#tools,
      hostToken: "host-token",
      guestToken: "guest-token",
      createdAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
    });
  }

  /** Like the real one, it lets the newest instance of the host supersede the others. */
  #stream(instance, response) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const [id, since = ++this.#starts] = instance?.split(".") ?? [];
    const host = id && { id, since: Number(since) };
    this.#streams.set(response, host);
    response.on("close", () => this.#streams.delete(response));
    const ready = { role: "host", cursor: cursorOf(0), instance: id && `${id}.${since}`, ...this.ready };
    response.write(`: fake\n\nevent: ready\nretry: 5\nid: ${cursorOf(0)}\ndata: ${JSON.stringify(ready)}\n\n`);
    const hosts = [...this.#streams].filter(([, other]) => other);
    for (const [stream, { id, since }] of hosts) {
      const isOlder = hosts.some(([, other]) => other.id !== id && other.since > since);
      if (isOlder) stream.end(`event: superseded\ndata: {"since":"2026-11-26T12:00:00.000Z"}\n\n`);
    }
  }

  #request(body, response) {
    const answer = this.#answers.get(body.id);
    if (answer) return reply(response, 200, answer);
    if (this.relay && !this.#relayed.has(body.id)) {
      this.#relayed.add(body.id);
      this.send("request", this.relay("request", body));
    }
    const late = () => this.#answers.get(body.id);
    const wait = () => (late() ? reply(response, 200, late()) : reply(response, 202, { id: body.id, cursor: cursorOf(1) }));
    if (this.waitMs) setTimeout(wait, this.waitMs);
    else wait();
  }
}

/** `serve`, but a connection that is reset in mid-body is no error: its client has left, or the test ended. */
export const unlessLeft = (serve) => (request, response) =>
  serve(request, response).catch((error) => {
    if (error.code !== "ECONNRESET") throw error;
  });

function reply(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** The cursor with this number, as the server writes cursors. */
export const cursorOf = (number) => `019a0000-0000-7000-8000-${`${number}`.padStart(12, "0")}`;

/** A sessionStorage that outlives the page under test, with a quota in characters like a browser's: keys count, too. */
export class FakeStorage {
  items = new Map();
  quota = Infinity;
  getItem = (key) => this.items.get(key) ?? null;
  removeItem = (key) => void this.items.delete(key);
  setItem = (key, value) => {
    const size = (text) => (text === null ? 0 : key.length + text.length);
    const growth = size(value) - size(this.getItem(key));
    if (growth > 0 && this.used + growth > this.quota) throw new DOMException("The quota is exceeded.", "QuotaExceededError");
    this.items.set(key, value);
  };

  get used() {
    return [...this.items].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }

  /** Fill it to the last character, as another part of the page could. */
  fill() {
    this.setItem("ballast", "");
    this.setItem("ballast", "x".repeat(this.quota - this.used));
  }
}

/** Wait until `condition` holds; rejects after a minute, many times what a busy machine takes. */
export async function until(condition) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`This never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
