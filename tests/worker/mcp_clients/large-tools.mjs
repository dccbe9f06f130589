// Tools with large and odd results, for the tests of those.

import { setTimeout as sleep } from "node:timers/promises";

/** Bytes that look like no others, and that compress badly. */
export function imageBytes(length) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7) & 255;
  return bytes;
}

const OBJECT = { type: "object" };

/** Definitions and handlers, as `Host.tool` takes them. */
export const TOOLS = [
  [
    { name: "shoot", description: "A picture", inputSchema: OBJECT },
    async ({ bytes, slowMs }) => {
      await sleep(slowMs);
      return new Blob([imageBytes(bytes)], { type: "image/png" });
    },
  ],
  [
    { name: "tabulate", description: "A table", inputSchema: OBJECT },
    ({ rows }) => ({ rows: Array.from({ length: rows }, (_, id) => ({ id, name: 'a "row" é' })) }),
  ],
  [{ name: "say_back", description: "What it is given", inputSchema: OBJECT }, ({ value }) => value],
];
