/** All that a resource has (a person, an organisation: as the app defines it): deleted, or exported. */

import { TransportError } from "../errors.js";
import { Http } from "../transport/http.js";
import { ownOrigin } from "../server.js";

/** One request deletes or reads as much as its storage operations allow. */
const PART_TIMEOUT_MS = 150_000;

/** @typedef {import("./threads.js").Server} Server */
/** @typedef {import("./threads.js").Thread} Thread */
/** @typedef {import("./history.js").ChatHistory} ChatHistory */

/**
 * `visibleUntil`: until then, another place may still show what was deleted. What is written there meanwhile may be left:
 * a deletion that must be complete is repeated after it.
 * @typedef {{ deleted: number, visibleUntil: string }} DeletedResource
 */

/** @typedef {{ threadId: string, etag: string, updatedAt: string, expiresAt: string }} OwnedVersion */

/**
 * A line of an export: for each thread the thread, its conversation, its documents, its pages; `end` is the last one.
 * `more` ends a part: an export that broke off goes on with the last `cursor` that was read.
 * @typedef {{ kind: "thread", thread: Thread }
 *   | { kind: "conversation", threadId: string, conversation: ChatHistory }
 *   | OwnedVersion & { kind: "document", type: "doc" | "intents" | "theme", name: string, content: any }
 *   | OwnedVersion & { kind: "page", intentId: string, title: string, html: string }
 *   | { kind: "more", cursor: string }
 *   | { kind: "end", resourceId: string, completeUntil: string }} ExportLine
 */

/**
 * Deletes all threads of a resource with their histories, documents and pages. If it rejects, call it again: it goes on.
 * @param {string} resourceId
 * @param {Server} [server]
 * @returns {Promise<DeletedResource>} `deleted`: threads
 */
export async function deleteResource(resourceId, { baseUrl = ownOrigin(), appKey, signal } = {}) {
  const http = new Http(baseUrl, appKey);
  const path = `/api/resources/${encodeURIComponent(resourceId)}`;
  for (let before = 0; ; ) {
    const { data } = await http.json("DELETE", path, { signal, timeoutMs: PART_TIMEOUT_MS });
    const deleted = before + data.deleted;
    if (data.done) return { deleted, visibleUntil: data.visibleUntil };
    before = deleted;
  }
}

/**
 * Exports all threads of a resource with their histories, documents and pages, line by line.
 * @param {string} resourceId
 * @param {{ cursor?: string } & Server} [options] `cursor`: of a line `more`, where an export broke off
 * @returns {AsyncGenerator<ExportLine, void, void>}
 */
export async function* exportResource(resourceId, { cursor, baseUrl = ownOrigin(), appKey, signal } = {}) {
  const http = new Http(baseUrl, appKey);
  const path = `/api/resources/${encodeURIComponent(resourceId)}/export`;
  for (;;) {
    const text = await http.text("GET", path, { query: { cursor }, signal, timeoutMs: PART_TIMEOUT_MS });
    const lines = parsed(text);
    const last = lines.at(-1);
    if (last?.kind !== "more" && last?.kind !== "end") throw new TransportError("A part of the export is cut off.");
    yield* lines;
    if (last.kind === "end") return;
    cursor = last.cursor;
  }
}

/** @param {string} text @returns {ExportLine[]} */
function parsed(text) {
  try {
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  } catch (error) {
    throw new TransportError("A line of the export is not JSON.", { cause: error });
  }
}
