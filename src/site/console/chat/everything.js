/** All threads of this browser: exported into a file, or deleted. */

import { deleteResource, exportResource } from "../../waypost.js";
import { byId, el, toast } from "../shared/dom.js";
import { clockTime } from "../shared/format.js";
import { confirmed } from "./confirm.js";
import { credentials, resourceId } from "./identity.js";

export class Everything {
  #events;

  /** @param {{ deleted: () => void, failed: (error: unknown) => void }} events */
  constructor(events) {
    this.#events = events;
    byId("export-all").addEventListener("click", () => this.#try("export-all", () => this.#export()));
    byId("delete-all").addEventListener("click", () => this.#try("delete-all", () => this.#delete()));
  }

  async #export() {
    const lines = [];
    for await (const line of exportResource(resourceId(), credentials())) {
      // The ends of its parts say nothing in a file.
      if (line.kind !== "more") lines.push(`${JSON.stringify(line)}\n`);
    }
    const url = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
    el("a", { href: url, download: "threads.jsonl" }).click();
    URL.revokeObjectURL(url);
  }

  async #delete() {
    const consequence = "Archived threads are deleted too, with all messages and pages. This can’t be undone: export them first if you may need them.";
    if (!(await confirmed("Delete all threads of this browser?", consequence, "Delete all threads"))) return;
    const { visibleUntil } = await deleteResource(resourceId(), credentials());
    this.#events.deleted();
    toast(`All threads are deleted. Elsewhere, some may be seen until ${clockTime(new Date(visibleUntil))}.`);
  }

  /** @param {string} id of the button @param {() => Promise<void>} action */
  async #try(id, action) {
    const button = byId(id);
    if (button.hasAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    try {
      await action();
    } catch (error) {
      this.#events.failed(error);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }
}
