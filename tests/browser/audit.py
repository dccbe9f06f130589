"""The faults that an accessibility checker would find first, computed in the page."""

from collections.abc import Iterator

from playwright.sync_api import Page

UNNAMED = """(host) => {
  const root = host ? document.querySelector(host).shadowRoot : document;
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const text = (id) => root.getElementById(id)?.textContent.trim();
  const named = (element) =>
    element.ariaLabel?.trim() ||
    (element.getAttribute("aria-labelledby") ?? "").split(" ").some(text) ||
    [...(element.labels ?? [])].some((label) => label.textContent.trim()) ||
    (["BUTTON", "A", "SUMMARY"].includes(element.tagName) &&
      (element.textContent.trim() || element.querySelector("[aria-label]")));
  const wanted = "input, select, textarea, button, a[href], summary, progress, [role=img], [role=log], [tabindex='0']";
  const unnamed = [...root.querySelectorAll(wanted)].filter((element) => shown(element) && !named(element));
  return unnamed.map((element) => element.outerHTML.slice(0, 120));
}"""

REPEATED_IDS = """(host) => {
  const root = host ? document.querySelector(host).shadowRoot : document;
  const ids = [...root.querySelectorAll("[id]")].map(({ id }) => id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""

# WCAG 2.2, 1.4.3: 4.5 for text, 3 for large text. A canvas turns any notation of a colour into RGB.
LOW_CONTRAST = """(host) => {
  const root = host ? document.querySelector(host).shadowRoot : document.body;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  // Each colour and each element once: a page has thousands of texts, and a few colours.
  const known = new Map();
  const measured = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const rgba = (color) => {
    if (!known.has(color)) known.set(color, measured(color));
    return known.get(color);
  };
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, below) => [0, 1, 2].map((at) => (top[at] * top[3] + below[at] * (255 - top[3])) / 255);
  const grounds = new Map();
  const below = (element) => {
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 255 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    if (!grounds.has(element)) grounds.set(element, below(element));
    return grounds.get(element);
  };
  const faults = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest(":disabled, script, style, noscript, .skip")) continue;
    const style = getComputedStyle(element);
    const under = ground(element);
    const [a, b] = [luminance(over(rgba(style.color), under)), luminance(under)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    const what = `${element.tagName}.${element.className} ${element.textContent.slice(0, 40)}`;
    if (ratio < needed) faults.push(`${ratio.toFixed(2)}: ${what}`);
  }
  return faults;
}"""


def both_themes(page: Page) -> Iterator[str]:
    """Each theme by its name, while the page shows it: it follows the system's choice."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        yield theme


def faults(page: Page, host: str | None = None) -> list[str]:
    """Everything that was found, as text; empty is good.

    `host`: the selector of an element whose shadow root is meant.
    """
    return [
        *(f"no name: {html}" for html in page.evaluate(UNNAMED, host)),
        *(f"id twice: {name}" for name in page.evaluate(REPEATED_IDS, host)),
        *(f"contrast {text}" for text in page.evaluate(LOW_CONTRAST, host)),
    ]
