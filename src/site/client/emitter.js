/** An EventTarget with typed details, which logs an `error` event that has no listener. */

/** @template {Record<string, any>} Events */
export class Emitter extends EventTarget {
  /**
   * Listen to the `detail` of one kind of event.
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {(detail: Events[Type]) => void} listener
   * @returns {() => void} stops listening
   */
  on(type, listener) {
    /** @param {Event} event */
    const handle = (event) => {
      event.preventDefault();
      listener(/** @type {CustomEvent} */ (event).detail);
    };
    this.addEventListener(type, handle);
    return () => this.removeEventListener(type, handle);
  }

  /**
   * @template {keyof Events & string} Type
   * @param {Type} type
   * @param {Events[Type]} detail
   */
  emit(type, detail) {
    const untaken = this.dispatchEvent(new CustomEvent(type, { detail, cancelable: true }));
    if (type === "error" && untaken) console.warn("waypost:", detail.error);
  }
}
