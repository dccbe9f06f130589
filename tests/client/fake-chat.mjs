/** Just enough of Waypost's chat to break off, repeat and refuse on purpose: threads, one running answer each. */

import { createServer } from "node:http";

import { unlessLeft } from "./fake-server.mjs";

export class FakeChat {
  /** What has been sent, by "METHOD /path": bodies, with the headers and the query. @type {Record<string, any[]>} */
  got = {};
  /** Replies to give instead of the usual ones: `[pattern, status | "drop", problem?, headers?]`, each used once. */
  faults = [];
  /** How the frames of a stream are cut before they are sent. */
  chop = (text) => [text];
  /** Whether an answer that has ended can still be listened to. */
  replays = true;
  sessions = new Map();
  histories = new Map();
  #answers = new Map();
  #held = Promise.resolve();
  #count = 0;

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

  sent(route) {
    return this.got[route] ?? [];
  }

  /** The running answer (or the last one) of a thread. */
  answer(threadId) {
    return this.#answers.get(threadId);
  }

  /** Holds back every reader of an answer until the returned function is called. */
  hold() {
    let release;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** Break every connection that listens to the answer of this thread. */
  cut(threadId) {
    for (const listener of this.answer(threadId).listeners) listener.destroy();
  }

  /** Say `text` in the answer of this thread. */
  say(threadId, text) {
    const answer = this.answer(threadId);
    answer.item.content += text;
    this.#add(answer, "text", [...text].length, "delta", { text });
  }

  /** Add to the reasoning of this thread's answer. */
  think(threadId, text) {
    const answer = this.answer(threadId);
    answer.item.reasoning = (answer.item.reasoning ?? "") + text;
    this.#add(answer, "reasoning", [...text].length, "reasoning", { text });
  }

  /** Have the answer of this thread do something with a tool: an event as the history has it, without its place. */
  happen(threadId, event) {
    const answer = this.answer(threadId);
    const { text, reasoning } = answer.at;
    (answer.item.toolEvents ??= []).push({ ...event, text, reasoning });
    const { kind, id, name, value = null, isError = false, step = 0 } = event;
    const said = { call: { name, arguments: value, step }, progress: { progress: value }, result: { result: value, isError } }[kind];
    this.#add(answer, "tools", 1, `tool_${kind}`, { id, ...said });
  }

  #add(answer, part, length, name, data) {
    const end = (answer.at[part] += length);
    const { text, reasoning, tools } = answer.at;
    const position = `${text}${reasoning ? `r${reasoning}` : ""}${tools ? `t${tools}` : ""}`;
    const frame = `id: ${answer.id}.${position}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    answer.pieces.push({ part, end, frame });
    this.#tell(answer, frame);
  }

  /** End the answer of this thread. */
  end(threadId, finishReason = "stop", error) {
    const answer = this.answer(threadId);
    const partial = finishReason !== "stop";
    answer.item.partial = partial;
    const done = { generationId: answer.id, messageId: answer.id, finishReason, partial, messageCount: 2 };
    const said = error ? `event: error\ndata: ${JSON.stringify({ partial, ...error })}\n\n` : "";
    answer.last = `${said}event: done\ndata: ${JSON.stringify(done)}\n\n`;
    this.#tell(answer, answer.last);
    for (const listener of answer.listeners) listener.end();
  }

  #tell(answer, frame) {
    for (const listener of answer.listeners) this.#write(listener, frame);
  }

  #write(response, text) {
    for (const part of this.chop(Buffer.from(text))) response.write(part);
  }

  async #serve(request, response) {
    const url = new URL(request.url, this.url);
    const route = `${request.method} ${decodeURIComponent(url.pathname)}`;
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    const at = this.faults.findIndex(([pattern]) => route.startsWith(pattern));
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0];
    (this.got[route] ??= []).push({ ...body, headers: request.headers, query: Object.fromEntries(url.searchParams) });
    if (fault?.[1] === "drop") return request.socket.destroy();
    if (fault) return reply(response, fault[1], { code: "fault", detail: "On purpose.", ...fault[2] }, fault[3]);
    if (route === "POST /api/chat") return this.#begin(body, response);
    if (route === "POST /api/chat/fork") return this.#fork(body, response);
    if (route === "POST /api/sessions/metadata") return this.#look(body.threadId, response);
    if (route === "GET /api/sessions") return reply(response, 200, this.page);
    if (route === "DELETE /api/sessions") {
      return reply(response, 200, { success: this.sessions.delete(body.threadId), ...body });
    }
    const [, thread, verb] = /^\/api\/chat\/(.+)\/(stream|stop)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (verb === "stream") await this.#held;
    if (verb === "stream") return this.#listen(thread, request, response);
    if (verb === "stop") return this.#stop(thread, body, response);
    const [, sessionId] = /^\/api\/conversations\/(.+)$/.exec(url.pathname) ?? [];
    if (sessionId && request.method === "GET") return this.#history(sessionId, url.searchParams, response);
    if (sessionId && request.method === "DELETE") return reply(response, 204);
    if (this.text) {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      return response.end(this.text(url));
    }
    if (this.other) return this.other(route, body, response);
    reply(response, 404, { code: "not_found", detail: "No such path." });
  }

  #session(threadId) {
    const known = this.sessions.get(threadId);
    if (known) return known;
    const session = { threadId, resourceId: threadId, sessionId: `s-${threadId}` };
    this.sessions.set(threadId, session);
    this.histories.set(session.sessionId, []);
    return session;
  }

  #begin(body, response) {
    const { id: threadId = body.threadId, resourceId } = body;
    const { sessionId } = this.#session(threadId);
    const id = `g${++this.#count}`;
    const asked = { id: body.messageId, role: "user", content: body.message ?? body.messages[0].parts[0].text };
    const item = { id, role: "assistant", content: "", partial: true };
    const history = this.histories.get(sessionId);
    const known = history.findIndex((message) => message.id === body.messageId);
    if (known >= 0) history.splice(known);
    history.push(asked, item);
    const start = { session_id: sessionId, threadId, resourceId, generationId: id, messageId: body.messageId };
    const first = `retry: 5\nevent: start\ndata: ${JSON.stringify(start)}\n\n`;
    this.#answers.set(threadId, { id, item, first, at: { text: 0, reasoning: 0, tools: 0 }, pieces: [], listeners: new Set(), last: "" });
    this.#attach(threadId, "", response);
  }

  #listen(threadId, request, response) {
    const answer = this.answer(threadId);
    if (!answer || (answer.last && !this.replays)) return reply(response, 204);
    this.#attach(threadId, request.headers["last-event-id"] ?? "", response);
  }

  #attach(threadId, lastEventId, response) {
    const answer = this.answer(threadId);
    const [, text = 0, reasoning = 0, tools = 0] = /\.(\d+)(?:r(\d+))?(?:t(\d+))?$/.exec(lastEventId) ?? [];
    const heard = { text, reasoning, tools };
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": here\n\n");
    this.#write(response, answer.first);
    for (const { part, end, frame } of answer.pieces) if (end > heard[part]) this.#write(response, frame);
    if (answer.last) return response.end(answer.last);
    answer.listeners.add(response);
    response.on("close", () => answer.listeners.delete(response));
  }

  #stop(threadId, { generationId }, response) {
    const answer = this.answer(threadId);
    const stopped = Boolean(answer && !answer.last && (generationId ?? answer.id) === answer.id);
    if (stopped) this.end(threadId, "stopped");
    reply(response, 200, { stopped, generationId: stopped ? answer.id : null });
  }

  #look(threadId, response) {
    const session = this.sessions.get(threadId);
    if (!session) return reply(response, 404, { code: "thread_not_found", detail: "No such thread." });
    reply(response, 200, { session });
  }

  #fork({ threadId, forkFromThreadId }, response) {
    const parent = this.#session(forkFromThreadId);
    const session = this.#session(threadId);
    this.histories.set(session.sessionId, [...this.histories.get(parent.sessionId)]);
    reply(response, 201, { session, messageCount: this.histories.get(session.sessionId).length });
  }

  #history(sessionId, query, response) {
    const messages = this.histories.get(sessionId) ?? [];
    const end = query.has("before") ? messages.findIndex(({ id }) => id === query.get("before")) : messages.length;
    const start = Math.max(0, end - Number(query.get("limit") ?? messages.length));
    const before = start > 0 ? messages[start].id : undefined;
    const page = { sessionId, messages: messages.slice(start, end), truncated: false, before };
    if (query.get("format") !== "markdown") return reply(response, 200, page);
    response.writeHead(200, { "content-type": "text/markdown" });
    response.end(messages.map(({ content }) => content).join("\n"));
  }
}

export function reply(response, status, body, headers = {}) {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
