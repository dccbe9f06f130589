/** A tool of the page, for as long as a component is mounted. */

import { useEffect } from "react";

import { shelfOf, tidy } from "./tool-shelf.js";
import { useLatest } from "./use-latest.js";

/** @typedef {import("../waypost.js").Approver} Approver */
/** @typedef {import("../waypost.js").ToolDefinition} ToolDefinition */
/** @typedef {import("../waypost.js").ToolHandler} ToolHandler */
/** @typedef {import("../waypost.js").ToolOptions} ToolOptions */

/**
 * Offers a tool while the component is mounted. Of several with one name, the one that was mounted last is offered. The handler
 * is the one of the last rendering, so it sees what the component shows; the definition is published again if it has changed.
 * A definition that clients could not read goes to `onError` of the host.
 * @param {{ key: string }} host what `useHost()` returned
 * @param {ToolDefinition} definition
 * @param {ToolHandler} handler
 * @param {ToolOptions} [options]
 */
export function useTool(host, definition, handler, { approve } = {}) {
  const latest = useLatest({ handler, approve });
  const { key } = host;
  // A component makes another definition at each rendering.
  const text = JSON.stringify(definition);
  const rule = typeof approve === "function" ? "ask" : approve;
  useEffect(() => {
    /** @type {Approver} */
    const ask = (request) => {
      const now = latest.current.approve;
      return typeof now === "function" ? now(request) : "refuse";
    };
    const remove = shelfOf(key).add({
      definition: JSON.parse(text),
      handler: (args, context) => latest.current.handler(args, context),
      options: { approve: rule === "ask" ? ask : rule },
    });
    return () => {
      remove();
      tidy(key);
    };
  }, [key, text, rule, latest]);
}
