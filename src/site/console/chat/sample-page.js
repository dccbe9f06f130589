/** A page to try the gallery with. It looks like an agent's work, and checks that its sandbox holds. */

/** @param {string} time @returns {string} HTML */
export function samplePage(time) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Three huts, two days</title>
<style>
  :root { color-scheme: light dark; --arm: #f0932f; --ink: light-dark(#1d2a22, #ece9df); --line: light-dark(#d6d9cf, #3b453e); }
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; gap: 22px; padding: 32px;
    box-sizing: border-box; font: 18px/1.5 system-ui, sans-serif; color: var(--ink); background: light-dark(#f6f5ee, #18201b); }
  h1 { margin: 0; font-size: 44px; line-height: 1.1; letter-spacing: -0.02em; }
  ol { margin: 0; padding: 0; list-style: none; display: grid; gap: 10px; }
  li { background: var(--arm); color: #23170a; font-weight: 600; padding: 12px 46px 12px 20px; width: max-content;
    clip-path: polygon(0 0, calc(100% - 24px) 0, 100% 50%, calc(100% - 24px) 100%, 0 100%); }
  li:nth-child(2) { margin-left: 34px; } li:nth-child(3) { margin-left: 68px; }
  p { margin: 0; max-width: 44ch; border-top: 1px solid var(--line); padding-top: 16px; }
</style>
<h1>Three huts, two days</h1>
<ol><li>Mill bridge, 2 h</li><li>Upper lake, 3 h 30</li><li>Saddle hut, 1 h 45</li></ol>
<p>Added at ${time}. <span id="tried"></span></p>
<script>
  let found = "It could read this site's storage, which must not be.";
  try { localStorage.length; } catch { found = "Its script runs in a sandbox: it can't read this site's storage."; }
  document.getElementById("tried").textContent = found;
</script>
`;
}
