/** Copies a text by a button, which says so for a moment. */

const CONFIRMED_MS = 1500;

/** The labels of the buttons that say so now. @type {WeakMap<HTMLButtonElement, string>} */
const labels = new WeakMap();

/** @param {HTMLButtonElement} button @param {string} text */
export async function copyBy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard without HTTPS (or with a refusal): show what to copy by hand.
    prompt("Copy this:", text);
    return;
  }
  if (labels.has(button)) return;
  const label = button.textContent;
  labels.set(button, label);
  button.textContent = "Copied";
  setTimeout(() => {
    labels.delete(button);
    button.textContent = label;
  }, CONFIRMED_MS);
}
