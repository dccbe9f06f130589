/**
 * One script tag that lets agents use the tools of a page that knows only WebMCP, once the person clicks "Share":
 *
 *     <script type="module" src="https://your-worker.example/webmcp.js"></script>
 *
 * Put it into the head, before the page's own scripts. It is bundled into a file that runs without `type="module"` as well: then
 * it runs before all scripts that follow, and sees what they register in browsers without WebMCP too. Attributes:
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

/** What is loaded when the person shares. The bundler leaves the path alone, for it can't read it: this file is one of its own. */
const SHARING = "webmcp/shared-view.js";

if (!Object.hasOwn(globalThis, MARK)) {
  Object.defineProperty(globalThis, MARK, { value: true });
  const options = readOptions();
  if (options.standsIn) standIn();
  // An ordinary script of another origin has no base, and a module that another one imported has no tag.
  const path = options.url ? new URL(SHARING, options.url).href : `./${SHARING}`;
  const badge = new Badge(pageTools(), options, () => import(path));
  // In a script with `async`, the page may not have been read so far.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => badge.show());
  else badge.show();
}
