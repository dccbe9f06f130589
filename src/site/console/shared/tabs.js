/** Tabs of a card: one of its panels is shown. Arrow keys move between them (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/). */

import { byId } from "./dom.js";
import { keep, recall } from "./storage.js";

/** @param {HTMLElement} list has the tabs, each of which names its panel @param {string} key under which the choice is kept */
export function tabs(list, key) {
  const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="tab"]')]);
  const choose = (/** @type {HTMLElement} */ chosen) => {
    for (const tab of all) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", `${isChosen}`);
      tab.tabIndex = isChosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls") ?? "").hidden = !isChosen;
    }
    keep("localStorage", key, chosen.id);
  };
  for (const tab of all) tab.addEventListener("click", () => choose(tab));
  list.addEventListener("keydown", ({ key: pressed }) => {
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const goal = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[pressed];
    if (goal === undefined) return;
    const next = all[goal % all.length];
    choose(next);
    next.focus();
  });
  choose(all.find(({ id }) => id === recall("localStorage", key)) ?? all[0]);
}
