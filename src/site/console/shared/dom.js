/** Elements made in script. Text always becomes a text node: nothing from the network is parsed as HTML. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element. `class` and `on…` handlers aside, properties become attributes: true is an empty one, false and
 * undefined are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? "" : `${value}`);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * The element of the page with this id.
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return /** @type {Kind} */ (element);
}

/**
 * Show `text` in a banner, or hide it.
 * @param {HTMLElement} banner
 * @param {string | null} text
 * @param {"info" | "warn" | "bad"} [kind]
 * @param {...Child} more
 */
export function showBanner(banner, text, kind = "info", ...more) {
  banner.hidden = text === null;
  banner.className = `banner ${kind}`;
  banner.replaceChildren(text ?? "", ...more.filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * A pill with a dot: the state of something.
 * @param {HTMLElement} pill
 * @param {string} text
 * @param {"good" | "busy" | "warn" | "bad"} kind
 */
export function showPill(pill, text, kind) {
  pill.hidden = false;
  pill.dataset.kind = kind;
  if (pill.textContent !== text) pill.textContent = text;
}

/**
 * A short notice that disappears by itself.
 * @param {string} text
 */
export function toast(text) {
  const note = el("p", { class: "toast" }, text);
  byId("toasts").append(note);
  setTimeout(() => note.remove(), 4000);
}

/**
 * Makes the button copy `text()` and confirm it in its label. Empty text is not copied: what was copied before stays.
 * @param {HTMLButtonElement} button
 * @param {() => string} text
 */
export function copies(button, text) {
  const name = button.textContent;
  button.addEventListener("click", async () => {
    const copied = text();
    if (copied === "") return toast("There is nothing to copy.");
    try {
      await navigator.clipboard.writeText(copied);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = name), 1500);
    } catch {
      // No clipboard without HTTPS (or with a refusal): show what to copy by hand.
      prompt("Copy this:", copied);
    }
  });
}
