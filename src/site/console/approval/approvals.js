/** Asks the person about the calls that need their approval. */

import { toast } from "../shared/dom.js";
import { inline } from "../shared/format.js";
import { plain } from "../shared/plain.js";
import { approvalCard } from "./approval-card.js";
import { isChatCall } from "./chat-calls.js";
import { useOwnCall } from "./own-calls.js";
import { waitingPanel } from "./waiting-panel.js";

/** @typedef {import("../../waypost.js").ApprovalRequest} ApprovalRequest */
/** @typedef {import("../../waypost.js").Decision} Decision */

/**
 * Asks the person, unless they made this very call themselves. Resolves with their decision.
 * @param {string} code the session's
 * @param {ApprovalRequest} request
 * @returns {Decision | Promise<Decision>}
 */
export function decide(code, request) {
  const { id, tool, args } = request;
  if (useOwnCall(id, { code, tool, args })) return "once";
  return new Promise((resolve) => {
    const settle = (/** @type {Decision} */ decision) => void (waitingPanel.remove(matter) && resolve(decision));
    const matter = {
      id,
      name: tool,
      detail: inline(args),
      news: () => `${isChatCall(request) ? "This chat" : "An agent"} asks to call ${plain(tool)}.`,
      asker: () => (isChatCall(request) ? "May this chat" : "May an agent"),
      card: () => approvalCard(request, settle),
      decline: () => settle("refuse"),
    };
    // The call was cancelled or allowed together with another one, or the session is over.
    request.signal.addEventListener("abort", () => {
      if (waitingPanel.isShown(matter)) toast(`The call to ${plain(tool)} no longer needs a decision.`);
      waitingPanel.remove(matter);
    });
    waitingPanel.add(matter);
  });
}
