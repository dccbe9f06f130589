/** A QR code as SVG. */

import { encode } from "../../vendor/uqr/uqr.mjs";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} text
 * @param {string} title
 */
export function qrCode(text, title) {
  const { data, size } = encode(text, { ecc: "M", border: 2 });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", dark(data));
  svg.append(path);
  return svg;
}

/** One path for all dark modules, a run at a time. @param {boolean[][]} rows */
function dark(rows) {
  let path = "";
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      const from = x;
      while (row[x]) x++;
      if (x > from) path += `M${from} ${y}h${x - from}v1H${from}z`;
    }
  });
  return path;
}
