/** The box in which the reader puts a session into all commands. */

import { el } from "../console/shared/dom.js";
import { recall } from "../console/shared/storage.js";
import { inline } from "./prose.js";

/** @typedef {import("./choices.js").Choices} Choices */

/** @type {Array<[name: string, label: string, isSecret: boolean]>} */
const SHOWN = [
  ["CODE", "Session code", false],
  ["HOST_TOKEN", "Host's token", true],
  ["GUEST_TOKEN", "Guest's token", true],
  ["SESSION_ID", "Session id", true],
  ["APP_KEY", "App key", true],
];

const HELP =
  "`$CODE`, `$HOST_TOKEN` and the like stand for what earlier commands returned: paste them one after the other, from " +
  "`openSession` on. Or put the values of a session in here. They stay in this tab, and are sent with a request of yours only. " +
  "Where the deployment sets `APP_KEYS`, chats, threads, documents and pages need an app key.";

/** @param {Choices} choices */
export function ownSession(choices) {
  const note = el("p", { class: "hint", role: "status" });
  const fields = SHOWN.map(([name, label, isSecret]) => {
    const type = isSecret ? "password" : "text";
    const input = el("input", { type, id: `value-${name}`, autocomplete: "off", spellcheck: "false", "data-name": name });
    input.addEventListener("change", () => choices.update({ [name]: input.value.trim() }));
    return el("div", { class: "field" }, el("label", { for: input.id }, label, " ", el("code", {}, `$${name}`)), input);
  });
  const show = () => {
    for (const input of box.querySelectorAll("input")) input.value = choices.values[input.dataset.name ?? ""] ?? "";
  };
  /** @param {string} label @param {() => Promise<string>} action */
  const button = (label, action) =>
    el("button", { type: "button", onclick: async () => (note.textContent = await action().catch(({ message }) => message)) }, label);
  const box = el(
    "section",
    { class: "own", "aria-labelledby": "own-title" },
    el("h2", { id: "own-title" }, "Your session"),
    el("p", {}, ...inline(HELP)),
    el(
      "div",
      { class: "actions" },
      button("Use this tab's session", () => useTabsSession(choices)),
      button("Open a new one", () => openSession(choices)),
      button("Clear", async () => (choices.clear(), "The commands have the names of the values again.")),
    ),
    note,
    el("div", { class: "values" }, ...fields),
  );
  choices.addEventListener("values", show);
  show();
  return box;
}

/** The session that the console has opened in this tab. @param {Choices} choices */
async function useTabsSession(choices) {
  // As client/session/session.js keeps it, of which this page needs nothing else.
  const session = JSON.parse(recall("sessionStorage", "waypost.session") ?? "null");
  if (!session || !(Date.parse(session.expiresAt) > Date.now())) return "This tab has no session. Open the console in this tab and come back, or open a new one here.";
  choices.update({ CODE: session.code, HOST_TOKEN: session.hostToken, SESSION_ID: session.sessionId ?? "", GUEST_TOKEN: await join(session.code) });
  return session.key ? "The session is encrypted: its tab refuses calls by the commands, which are not." : `The commands use the session ${session.code}.`;
}

/** @param {Choices} choices */
async function openSession(choices) {
  const { code, hostToken, sessionId } = await post("/api/sessions");
  choices.update({ CODE: code, HOST_TOKEN: hostToken, SESSION_ID: sessionId, GUEST_TOKEN: await join(code) });
  return `The commands use the session ${code}.`;
}

/** A guest's token. @param {string} code @returns {Promise<string>} */
async function join(code) {
  return (await post(`/api/sessions/${code}/join`)).guestToken;
}

/** @param {string} path */
async function post(path) {
  const reply = await fetch(path, { method: "POST" });
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.detail);
  return body;
}
