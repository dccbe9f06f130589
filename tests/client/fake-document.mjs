/** Just enough of a document to make elements in, and to see which of them stay. */

export class FakeNode {
  parent = null;
  childNodes = [];

  append(...children) {
    for (const child of children) {
      const node = typeof child === "string" ? new FakeText(child) : child;
      node.remove();
      node.parent = this;
      this.childNodes.push(node);
    }
  }

  remove() {
    this.parent?.childNodes.splice(this.parent.childNodes.indexOf(this), 1);
    this.parent = null;
  }

  replaceWith(node) {
    const { parent } = this;
    parent.childNodes[parent.childNodes.indexOf(this)] = node;
    [node.parent, this.parent] = [parent, null];
  }

  get lastChild() {
    return this.childNodes.at(-1) ?? null;
  }

  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }
}

export class FakeText extends FakeNode {
  /** What was done to it. */
  changes = [];

  constructor(data) {
    super();
    this.text = data;
  }

  get data() {
    return this.text;
  }

  set data(text) {
    this.changes.push("set");
    this.text = text;
  }

  appendData(text) {
    this.changes.push("append");
    this.text += text;
  }

  get textContent() {
    return this.text;
  }
}

export class FakeElement extends FakeNode {
  attributes = {};
  listeners = {};

  constructor(tag) {
    super();
    this.tag = tag;
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  addEventListener(type, listener) {
    this.listeners[type] = listener;
  }

  dispatchEvent(event) {
    this.listeners[event.type]?.(event);
  }
}

/** Gives this process a document. */
export function installDocument() {
  const document = { createElement: (tag) => new FakeElement(tag), createTextNode: (data) => new FakeText(data) };
  Object.assign(globalThis, { document, Text: FakeText, HTMLElement: FakeElement, Element: FakeElement });
}
