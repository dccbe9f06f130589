/**
 * One script tag that lets agents use the tools of a page that knows only WebMCP, once the person clicks "Share":
 *
 *     <script type="module" src="https://your-worker.example/webmcp.js"></script>
 *
 * Put it into the head, before the page's own modules: modules run in order, so it sees all that they register. Attributes:
 *
 *     data-label="Cart of Ada"        the name that agents see; by default the page's title
 *     data-approve="writes"           which calls ask the person first: those of tools without readOnlyHint; or always, never
 *     data-position="bottom-right"    or bottom-left, top-right, top-left
 *     data-theme="auto"               or light, dark
 *     data-autostart                  shares without a click
 *     data-stand-in="off"             adds no document.modelContext to a browser without WebMCP
 */

import { pageTools } from "./client/webmcp/page-tools.js";
import { standIn } from "./client/webmcp/stand-in.js";
import { Badge } from "./webmcp/badge.js";
import { readOptions } from "./webmcp/options.js";

/** Of whichever copy of this script, from whichever server: a second one does nothing. */
const MARK = Symbol.for("waypost.webmcp");

if (!Object.hasOwn(globalThis, MARK)) {
  Object.defineProperty(globalThis, MARK, { value: true });
  const options = readOptions(import.meta.url);
  if (options.standsIn) standIn();
  const badge = new Badge(pageTools(), options);
  // In a script with `async`, the page may not have been read so far.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => badge.show());
  else badge.show();
}
