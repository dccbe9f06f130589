/** What is wrong with a tool's definition, and where. */

/** A definition that clients refuse. `pointer`: the place inside it (RFC 6901). */
export class ToolFault extends Error {
  /**
   * @param {string} pointer
   * @param {string} reason a clause that says what must be there
   */
  constructor(pointer, reason) {
    super(`${pointer}: ${reason}`);
    this.pointer = pointer;
    this.reason = reason;
  }
}

/**
 * @param {string} pointer
 * @param {string} expected
 * @returns {never}
 */
export function fail(pointer, expected) {
  throw new ToolFault(pointer, `must be ${expected}`);
}

/** The pointer of the member `name` below `pointer`. @param {string} pointer @param {string | number} name */
export function step(pointer, name) {
  return `${pointer}/${`${name}`.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** @param {unknown} value @returns {value is Record<string, any>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {value is string[]} */
export function isTexts(value) {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
