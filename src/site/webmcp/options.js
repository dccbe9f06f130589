/** What the attributes of the script tag say. */

const CHOICES = {
  approve: ["writes", "always", "never"],
  position: ["bottom-right", "bottom-left", "top-right", "top-left"],
  theme: ["auto", "light", "dark"],
  standIn: ["on", "off"],
};

/** @typedef {"writes" | "always" | "never"} Approve */

/**
 * @typedef {object} Options
 * @property {string | null} url of the script; null if it has no tag
 * @property {string | null} label
 * @property {Approve} approve
 * @property {string} position
 * @property {string} theme
 * @property {boolean} autostart
 * @property {boolean} standsIn
 */

/**
 * Reads them while the script runs.
 * @returns {Options}
 */
export function readOptions() {
  // A module has no `currentScript`.
  const tag = document.currentScript ?? [...document.scripts].find(({ src }) => URL.canParse(src) && new URL(src).pathname === "/webmcp.js");
  const { dataset: said = {}, src: url = null } = tag instanceof HTMLScriptElement ? tag : {};
  return {
    url,
    label: said.label?.trim() || null,
    approve: /** @type {Approve} */ (choice(said, "approve")),
    position: choice(said, "position"),
    theme: choice(said, "theme"),
    autostart: said.autostart !== undefined && said.autostart !== "false",
    standsIn: choice(said, "standIn") === "on",
  };
}

/** @param {DOMStringMap} said @param {keyof typeof CHOICES} name */
function choice(said, name) {
  const value = said[name] || CHOICES[name][0];
  if (CHOICES[name].includes(value)) return value;
  console.warn(`waypost: data-${name.replace("I", "-i")}="${value}" is none of ${CHOICES[name].join(", ")}.`);
  return CHOICES[name][0];
}
