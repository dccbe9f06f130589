/**
 * What a handler returns, as JSON can carry it. JSON.stringify makes `{}` of a Map, a Response or an Error, and drops
 * functions: here each is an error that says what can't be sent, where it is, and what to return instead.
 */

import { toBase64 } from "../base64.js";

/** What to return instead, by the name of a class. @type {Record<string, string>} */
const INSTEAD = {
  Map: "Object.fromEntries(map)",
  Set: "[...set]",
  Response: "await response.json() or await response.text()",
  Request: "its url, or what you need of it",
  Headers: "Object.fromEntries(headers)",
  FormData: "Object.fromEntries(data)",
  URLSearchParams: "Object.fromEntries(params)",
  ReadableStream: "await new Response(stream).text()",
  ArrayBuffer: 'new Blob([buffer], { type: "image/png" }) if it is an image, or an array of numbers',
  RegExp: "its source",
  ImageData: "a Blob of a canvas that shows it",
  ImageBitmap: "a Blob of a canvas that shows it",
  HTMLCanvasElement: "await new Promise((done) => canvas.toBlob(done))",
  OffscreenCanvas: "await canvas.convertToBlob()",
  HTMLImageElement: "a Blob of a canvas that shows it",
};

/** Thrown for a value that can't be sent. */
export class UnsendableError extends TypeError {}

/**
 * `value` as plain JSON values. An image or a sound (a Blob), returned alone or in a list `content`, becomes a content block
 * of MCP; in a block, the `data` of a Blob or of bytes becomes base64.
 * @param {unknown} value
 * @returns {Promise<unknown>} rejects with `UnsendableError`
 */
export async function plainValue(value) {
  if (isBlob(value)) return { content: [await mediaBlock(value, "The result")] };
  if (isPlain(value) && Array.isArray(value.content)) {
    const blocks = await Promise.all(value.content.map((block, at) => contentBlock(block, `content[${at}]`)));
    value = { ...value, content: blocks };
  }
  assertPlain(value, "the result", []);
  return value;
}

/**
 * @param {unknown} block
 * @param {string} path
 */
async function contentBlock(block, path) {
  if (isBlob(block)) return mediaBlock(block, path);
  if (!isPlain(block) || !["image", "audio"].includes(/** @type {string} */ (block.type))) return block;
  const { data, mimeType } = block;
  if (isBlob(data)) {
    const type = typeof mimeType === "string" ? mimeType : mediaType(data);
    if (!type) throw refused(`${path}.data`, data, "a block with a mimeType, or give the Blob a type");
    return { ...block, data: toBase64(new Uint8Array(await data.arrayBuffer())), mimeType: type };
  }
  const bytes = bytesOf(data);
  return bytes ? { ...block, data: toBase64(bytes) } : block;
}

/**
 * @param {Blob} blob
 * @param {string} path
 */
async function mediaBlock(blob, path) {
  const mimeType = mediaType(blob);
  if (!mimeType) throw refused(path, blob, "its text (await blob.text()), or a Blob with the type of an image or a sound");
  const data = toBase64(new Uint8Array(await blob.arrayBuffer()));
  return { type: mimeType.startsWith("audio/") ? "audio" : "image", data, mimeType };
}

/**
 * Throws if JSON would lose a part of `value`.
 * @param {unknown} value
 * @param {string} path
 * @param {object[]} inside the objects that contain it
 */
function assertPlain(value, path, inside) {
  if (typeof value === "bigint") throw refused(path, value, "`${value}` or Number(value)");
  if (typeof value === "function" || typeof value === "symbol") throw refused(path, value, "the value that you mean");
  if (typeof value !== "object" || value === null) return;
  if (inside.includes(value)) throw new UnsendableError(`A tool's answer must be JSON: ${path} contains itself.`);
  if ("then" in value && typeof value.then === "function") throw refused(path, value, "it after `await`");
  const isMedia = isBlob(value);
  if (isMedia || bytesOf(value) || isNode(value)) {
    const advice = isMedia && mediaType(value) ? "it alone, or as a block of `content`" : undefined;
    throw refused(path, value, advice);
  }
  if ("toJSON" in value && typeof value.toJSON === "function") return;
  if (value instanceof String || value instanceof Number || value instanceof Boolean) return;
  const entries = Object.entries(value);
  const isArray = Array.isArray(value);
  const isEmpty = entries.length === 0 && !isArray && !isPlain(value);
  // Its class keeps what it holds out of reach.
  if (value instanceof Error || value instanceof Map || value instanceof Set || isEmpty) throw refused(path, value);
  for (const [name, part] of entries) {
    assertPlain(part, isArray ? `${path}[${name}]` : `${path}.${name}`, [...inside, value]);
  }
}

/**
 * @param {string} path
 * @param {unknown} value
 * @param {string} [instead]
 */
function refused(path, value, instead) {
  const name = typeof value === "object" && value !== null ? className(value) : typeof value;
  const type = isBlob(value) ? (value.type ? ` of type ${value.type}` : " without a type") : "";
  if (value instanceof Error) instead ??= "its message, or throw it";
  if (isNode(value)) instead ??= INSTEAD[name] ?? "its textContent or outerHTML";
  if (bytesOf(value)) instead ??= INSTEAD[name] ?? INSTEAD.ArrayBuffer;
  instead ??= INSTEAD[name] ?? "a plain object with what you need of it";
  return new UnsendableError(`A tool's answer must be JSON: ${path} is a ${name}${type}. Return ${instead}.`);
}

/** @param {object} value */
function className(value) {
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name ? constructor.name : "object";
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isPlain(value) {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // An object of another frame has a prototype of its own, at the end of its chain.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** @param {unknown} value @returns {value is Blob} */
function isBlob(value) {
  return typeof Blob !== "undefined" && value instanceof Blob;
}

/** @param {unknown} value */
function isNode(value) {
  return typeof Node !== "undefined" && value instanceof Node;
}

/** The type of an image or a sound, without parameters; "" for any other. @param {Blob} blob */
function mediaType({ type }) {
  const mimeType = type.split(";", 1)[0].trim();
  return /^(?:image|audio)\/./.test(mimeType) ? mimeType : "";
}

/** @param {unknown} value @returns {Uint8Array | null} */
function bytesOf(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return null;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
