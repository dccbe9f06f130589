/** A message of one's own while it is edited, in the place of its text. */

import { el } from "../shared/dom.js";

/**
 * The form. Enter sends, as in the message box; Escape leaves the message as it was.
 * @param {string} text
 * @param {string} hint what sending it does
 * @param {(text: string | null) => void} done called with the new text; null: it stays as it was
 */
export function messageEditor(text, hint, done) {
  const box = el("textarea", { "aria-label": "Your message", rows: 2, maxlength: 65536, dir: "auto", enterkeyhint: "send" });
  box.value = text;
  const cancel = el("button", { type: "button", class: "quiet", onclick: () => done(null) }, "Cancel");
  const form = el("form", { class: "message-editor" }, box, el("p", { class: "hint" }, hint), el("div", { class: "actions" }, cancel, el("button", { class: "primary" }, "Send")));
  const submit = () => {
    const edited = box.value.trim();
    if (edited) done(edited);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return done(null);
    // During input composition (IME), Enter completes the word.
    if (event.target !== box || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  return { form, box };
}
