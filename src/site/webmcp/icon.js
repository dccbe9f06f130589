/** Waypost's sign. */

const SVG = "http://www.w3.org/2000/svg";
const PARTS = { post: "M14.5 3h3v27h-3z", arm: "M8 6h15l4.5 4-4.5 4H8z", back: "M24 16.5H11L6.5 20l4.5 3.5h13z" };

export function arrow() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, d] of Object.entries(PARTS)) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
