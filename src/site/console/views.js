/** Which of the page's views is shown: `#session`, `#chat` (`#chat=ID`: that thread), `#join=CODE`: only the agent. */

import { byId } from "./shared/dom.js";

/** @typedef {{ view: "session" | "chat" | "agent", value: string, key?: string }} Place */

/**
 * The view that the page's address asks for; null if it names none (a link within a view). Removes the key of an encrypted
 * session from the address, so that it stays neither on the screen nor in the browser's history.
 * @returns {Place | null}
 */
export function place() {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (hash.has("join")) {
    const join = hash.get("join") ?? "";
    const key = hash.get("key");
    if (key === null) return { view: "agent", value: join };
    history.replaceState(history.state, "", `#${new URLSearchParams({ join })}`);
    return { view: "agent", value: join, key };
  }
  if (hash.has("chat")) return { view: "chat", value: hash.get("chat") ?? "" };
  return hash.has("session") || location.hash.length < 2 ? { view: "session", value: "" } : null;
}

/** @type {Record<"session" | "chat", string>} */
const titles = { session: document.title, chat: "Chat · Waypost" };

let waiting = 0;

/** Shows in the window's title how many calls wait for approval. @param {number} count */
export function tellWaiting(count) {
  waiting = count;
  showTitle();
}

function showTitle() {
  document.title = waiting > 0 ? `(${waiting}) ${titles[shown()]}` : titles[shown()];
}

/** The window's title while `view` is shown. @param {"session" | "chat"} view @param {string} title */
export function setTitle(view, title) {
  titles[view] = title;
  showTitle();
}

function shown() {
  return byId("chat-view").hidden ? "session" : "chat";
}

/** @param {Place["view"]} view */
export function show(view) {
  const isChat = view === "chat";
  byId("chat-view").hidden = !isChat;
  byId("session-view").hidden = isChat;
  document.body.classList.toggle("agent-alone", view === "agent");
  for (const link of byId("views").querySelectorAll("a")) {
    if (view !== "agent" && link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const skip = byId("skip");
  skip.textContent = isChat ? "Skip to the message box" : "Skip to the agent";
  skip.setAttribute("href", isChat ? "#message" : "#agent");
  showTitle();
}
