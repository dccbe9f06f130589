/**
 * Dark or light: the system's choice, until the button chooses otherwise. A classic script in the page's head, so that
 * the first paint is right. It also marks a page at a name that is this computer itself for everyone: no phone can open
 * its links, and the page says so.
 */
(() => {
  const KEY = "waypost.theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;
  root.toggleAttribute("data-loopback", LOOPBACK.test(location.hostname));

  /** localStorage throws where the user forbids it; the choice is then not kept. */
  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  /** @param {string} theme */
  function keep(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Not stored, but applied until the page is left.
    }
  }

  /** The browser's own bar around the page. */
  const BARS = { dark: "#0c130f", light: "#f3f4ee" };

  /** @param {string | null} theme */
  function show(theme) {
    root.dataset.theme = theme ?? (system.matches ? "dark" : "light");
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", root.dataset.theme === "dark" ? BARS.dark : BARS.light);
    const button = document.getElementById("theme");
    if (!button) return;
    const other = root.dataset.theme === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
  }

  show(chosen());
  system.addEventListener("change", () => show(chosen()));
  addEventListener("DOMContentLoaded", () => {
    show(chosen());
    document.getElementById("theme")?.addEventListener("click", () => {
      const other = root.dataset.theme === "dark" ? "light" : "dark";
      keep(other);
      show(other);
    });
  });
})();
