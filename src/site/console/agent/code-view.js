/** The code of one call, folded, in the language that was chosen last. */

import { copies, el } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";
import { callCode } from "./call-code.js";

const CHOICE = "waypost.language";

/** @param {import("./call-code.js").Call} call */
export function codeView(call) {
  const details = el("details", { class: "call-code" }, el("summary", {}, "Code"));
  // Made when it is wanted: most calls are only looked at.
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(...parts(call)));
  return details;
}

/** @param {import("./call-code.js").Call} call */
function parts(call) {
  const codes = callCode(call);
  const select = el("select", { "aria-label": "Language" }, ...Object.keys(codes).map((name) => el("option", {}, name)));
  const text = el("pre", { class: "snippet", tabindex: 0, "aria-label": "Code of this call" });
  const copy = el("button", { type: "button", class: "quiet" }, "Copy");
  copies(copy, () => codes[select.value]);
  const show = () => (text.textContent = codes[select.value]);
  const wish = recall("localStorage", CHOICE) ?? "";
  if (wish in codes) select.value = wish;
  select.addEventListener("change", () => {
    keep("localStorage", CHOICE, select.value);
    show();
  });
  show();
  return [el("p", { class: "way-head" }, select, copy), text];
}
