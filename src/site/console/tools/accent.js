/** `set_accent`: the page's accent colour. */

import { keep, recall } from "../shared/storage.js";

/** Hues that read well; lightness and chroma are the theme's, so that text on it always stays legible. */
const HUES = { amber: 62, brick: 32, heather: 320, lake: 240, moss: 140 };

const KEY = "waypost.accent";

/** @param {number} hue */
function paint(hue) {
  document.documentElement.style.setProperty("--hue", `${hue}`);
}

// The colour that an agent has set survives a reload.
const kept = Number(recall("sessionStorage", KEY) ?? NaN);
if (!Number.isNaN(kept)) paint(kept);

export const accentTool = {
  definition: {
    name: "set_accent",
    title: "Set the accent colour of this page",
    description: "Change the accent colour of the page.",
    inputSchema: {
      type: "object",
      properties: {
        color: { type: "string", enum: Object.keys(HUES), default: "lake", description: "The name of a colour" },
        hue: { type: "integer", minimum: 0, maximum: 359, description: "A hue in degrees, instead of a name" },
      },
      additionalProperties: false,
    },
    annotations: { idempotentHint: true, destructiveHint: false },
  },

  /** @param {{ color?: keyof typeof HUES, hue?: number }} args */
  handler({ color = "lake", hue }) {
    const chosen = hue ?? HUES[color];
    if (!Number.isInteger(chosen) || chosen < 0 || chosen > 359) throw new RangeError(`Unknown colour: ${color}.`);
    paint(chosen);
    keep("sessionStorage", KEY, `${chosen}`);
    return { hue: chosen };
  },
};
