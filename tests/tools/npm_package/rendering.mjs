/** React without a page: components that show nothing, rendered into what React takes for an element. */

import { setMaxListeners } from "node:events";

import { createElement, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";

/** As much of an element as React asks of the one that it renders into. */
class Container extends EventTarget {
  nodeType = 1;
  nodeName = "DIV";
  tagName = "DIV";
  namespaceURI = "http://www.w3.org/1999/xhtml";
  ownerDocument = Object.assign(new EventTarget(), { nodeType: 9, nodeName: "#document" });
  firstChild = null;
  lastChild = null;
  textContent = "";
}

/** What React asks of a page besides. */
globalThis.window ??= Object.assign(new EventTarget(), { HTMLIFrameElement: class {} });
// Each host listens there until it has left.
setMaxListeners(0, globalThis.window);

/**
 * Renders a component under StrictMode, which mounts it twice. `use` is called at each rendering: `seen.all` is what it
 * returned, and `seen.now` the last of it. `render()` resolves when other properties are shown.
 */
export function mount(use, props = {}) {
  const seen = { now: undefined, all: [] };
  function Component({ given, shown }) {
    seen.now = use(given);
    seen.all.push(seen.now);
    // After the effects of `use`.
    useEffect(shown, [shown]);
    return null;
  }
  const root = createRoot(new Container());
  const render = (given) =>
    new Promise((shown) => root.render(createElement(StrictMode, null, createElement(Component, { given, shown }))));
  render(props);
  return Object.assign(seen, { render, unmount: () => root.unmount() });
}
