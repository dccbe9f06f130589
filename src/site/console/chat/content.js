/** The content of a message as text. */

import { fileSize, pretty } from "../shared/format.js";

/** @param {unknown} content a text; or parts, of texts and images; or any JSON of an agent's framework */
export function contentText(content) {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map(partText).join("\n") : pretty(content);
}

/** A text as it is, an image as its kind and size, anything else as JSON. @param {any} part */
function partText(part) {
  if (part?.type === "text" && typeof part.text === "string") return part.text;
  const url = part?.image_url?.url;
  const kind = typeof url === "string" && /^data:(image\/[\w.+-]+);base64,/.exec(url.slice(0, 100));
  return kind ? `[${kind[1]}, ${fileSize(Math.floor(((url.length - kind[0].length) * 3) / 4))}]` : pretty(part);
}
