/** What a tool's result is, so that it can be shown as that: text, pictures, links, or else JSON. No page is needed here. */

/** Pictures that browsers show; SVG is none of them, since it is a document. */
const PICTURES = /^image\/(png|jpeg|gif|webp|avif)$/;

/** Characters of base64: larger pictures stay JSON. */
const MAX_PICTURE_CHARS = 12_000_000;

/**
 * @typedef {{ kind: "text", text: string } | { kind: "json", value: unknown, title?: string }
 *   | { kind: "picture", type: string, data: string } | { kind: "link", uri: string, name: string }} ResultPart
 */

/**
 * The parts of a result. MCP's `content` becomes one for each block, and `structuredContent` one more.
 * @param {unknown} value
 * @returns {ResultPart[]}
 */
export function resultParts(value) {
  if (typeof value === "string") return [{ kind: "text", text: value }];
  const { content, structuredContent } = /** @type {Record<string, unknown>} */ (value ?? {});
  if (!Array.isArray(content) || content.length === 0 || !content.every(isBlock)) return [{ kind: "json", value }];
  const parts = content.map(blockPart);
  return structuredContent === undefined ? parts : [...parts, { kind: "json", value: structuredContent, title: "Structured content" }];
}

/** @param {any} block @returns {ResultPart} */
function blockPart(block) {
  if (block.type === "text" && typeof block.text === "string") return { kind: "text", text: block.text };
  if (isPicture(block)) return { kind: "picture", type: block.mimeType, data: block.data };
  const { uri, name = uri } = block;
  if (block.type === "resource_link" && typeof uri === "string") return { kind: "link", uri, name: `${name}` };
  if (block.type === "resource" && typeof block.resource?.text === "string") return { kind: "text", text: block.resource.text };
  return { kind: "json", value: block };
}

/** @param {any} block */
function isPicture({ type, data, mimeType }) {
  return type === "image" && typeof data === "string" && data.length <= MAX_PICTURE_CHARS && PICTURES.test(mimeType);
}

/** @param {any} block */
function isBlock(block) {
  return typeof block?.type === "string";
}
