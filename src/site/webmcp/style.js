/** The badge's style sheet. `!important` on the host: there, a shadow tree's important rules win over all of the page's. */

const DARK = `
    color-scheme: dark;
    --card: #1b211d; --sunk: #151a17; --line: #343c37; --line-strong: #7b867f; --ink: #ebeee7; --soft: #a9b3ac;
    --accent: #e8a04a; --accent-text: #f3bd7c; --accent-wash: #3b2c18; --good: #74d99b; --warn: #f0bf6c; --bad: #ff9d92;
`;

export const CSS = `
:host {
  all: initial !important;
  position: fixed !important;
  inset: auto 16px 16px auto !important;
  z-index: 2147483647 !important;
  pointer-events: none !important;
}
:host([hidden]) { display: none !important; }
:host([data-position="bottom-left"]) { inset: auto auto 16px 16px !important; }
:host([data-position="top-right"]) { inset: 16px 16px auto auto !important; }
:host([data-position="top-left"]) { inset: 16px auto auto 16px !important; }

.frame {
  display: flex;
  flex-direction: column;
  align-items: flex-end;
  gap: 8px;
  max-width: calc(100vw - 32px);
  font: 14px/1.45 system-ui, sans-serif;
  color-scheme: light;
  color: var(--ink);
  --card: #fcfcf8;
  --sunk: #f1f2eb;
  --line: #d5d9cf;
  --line-strong: #7d887f;
  --ink: #1d2620;
  --soft: #55605a;
  --accent: #e59b3d;
  --accent-ink: #2b1a05;
  --accent-text: #8a5200;
  --accent-wash: #fbeeda;
  --good: #1a7440;
  --warn: #835300;
  --bad: #b3261e;
}
.frame[data-position^="top"] { flex-direction: column-reverse; }
.frame[data-position$="left"] { align-items: flex-start; }

@media (prefers-color-scheme: dark) {
  .frame[data-theme="auto"] { ${DARK} }
}
.frame[data-theme="dark"] { ${DARK} }

*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, ul, pre { margin: 0; padding: 0; }
ul { list-style: none; }
code, pre, .code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
svg .post { fill: var(--line-strong); }
svg .arm { fill: var(--accent); }
svg .back { fill: var(--ink); }
.sr { position: absolute; background: var(--card); width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.hint { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }

button {
  font: 550 13.5px/1.2 system-ui, sans-serif;
  color: var(--ink);
  background: var(--card);
  border: 1px solid var(--line-strong);
  border-radius: 8px;
  padding: 8px 11px;
  min-height: 36px;
  cursor: pointer;
}
button:hover:not(:disabled) { background: var(--accent-wash); }
button:disabled { opacity: 0.5; cursor: default; }
button.primary { background: var(--accent); border-color: transparent; color: var(--accent-ink); font-weight: 620; }
button.primary:hover:not(:disabled) { background: color-mix(in oklab, var(--accent), var(--ink) 12%); }
button.quiet { border-color: transparent; background: none; color: var(--soft); }
button.link { border: 0; background: none; padding: 4px 0; min-height: 0; color: var(--accent-text); text-decoration: underline; }
:focus-visible { outline: 2.5px solid var(--accent-text); outline-offset: 2px; }

.pill {
  pointer-events: auto;
  display: flex;
  align-items: center;
  gap: 8px;
  max-width: 100%;
  min-height: 42px;
  padding: 8px 15px 8px 11px;
  border-radius: 21px;
  border-color: var(--line);
  box-shadow: 0 4px 16px #0003;
}
.pill svg { width: 22px; height: 22px; flex: none; }
.pill span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pill[data-kind="good"] span::before, .pill[data-kind="busy"] span::before, .pill[data-kind="warn"] span::before, .pill[data-kind="bad"] span::before, .state::before {
  content: "";
  display: inline-block;
  width: 8px;
  height: 8px;
  margin-right: 7px;
  border-radius: 50%;
  background: currentcolor;
}
[data-kind="good"] span::before, .state[data-kind="good"] { color: var(--good); }
[data-kind="busy"] span::before, [data-kind="warn"] span::before, .state[data-kind="busy"], .state[data-kind="warn"] { color: var(--warn); }
[data-kind="bad"] span::before { color: var(--bad); }
.pill.attention { background: var(--accent); border-color: transparent; color: var(--accent-ink); font-weight: 650; }
.pill.attention svg .post, .pill.attention svg .arm, .pill.attention svg .back { fill: currentcolor; }
.pill.attention span::before { color: inherit; }

.panel {
  pointer-events: auto;
  width: min(392px, 100vw - 32px);
  max-height: min(640px, 100dvh - 90px);
  overflow-y: auto;
  overscroll-behavior: contain;
  border: 1px solid var(--line);
  border-radius: 14px;
  background: var(--card);
  box-shadow: 0 12px 40px #0004;
}
.panel:focus { outline: none; }
header { display: flex; align-items: center; gap: 9px; padding: 10px 10px 8px 16px; border-bottom: 1px solid var(--line); }
header svg { width: 22px; height: 22px; flex: none; }
header h2 { font-size: 15px; font-weight: 650; margin-right: auto; }
header button { min-width: 36px; padding: 4px; }
.body { display: grid; gap: 11px; padding: 13px 16px 15px; }
.body > *, .plate > * { min-width: 0; }
.body p { overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
.state { font-weight: 600; font-size: 13px; }
.banner { padding: 9px 12px; border-radius: 8px; background: var(--sunk); border-left: 3px solid var(--bad); }

.plate { display: grid; grid-template-columns: auto 1fr; gap: 14px; align-items: center; padding: 12px; border-radius: 10px; background: var(--sunk); }
.qr { display: block; width: 118px; border-radius: 6px; background: #fff; }
.qr svg { display: block; width: 100%; fill: #1d2620; }
.code { font-size: 23px; font-weight: 650; letter-spacing: 0.02em; overflow-wrap: anywhere; }

.tools { display: grid; gap: 5px; max-height: 152px; overflow-y: auto; border-top: 1px solid var(--line); padding-top: 10px; font-size: 13px; }
.tools li { display: grid; grid-template-columns: 1fr auto; column-gap: 10px; min-width: 0; }
.tools li > :nth-child(n + 3), .tools li > span { grid-column: 1 / -1; }
.tools label { display: flex; align-items: center; gap: 5px; color: var(--soft); font-size: 12px; white-space: nowrap; }
input { accent-color: var(--accent-text); width: 15px; height: 15px; margin: 0; }
.tools code { font-weight: 600; overflow-wrap: anywhere; }
.tools span { color: var(--soft); overflow-wrap: anywhere; }
.tools .refused span { color: var(--bad); }

.questions { display: grid; gap: 8px; padding: 12px; margin: 0 -4px; border: 2px solid var(--accent); border-radius: 10px; }
.questions .head { display: flex; align-items: center; gap: 10px; }
.questions h3 { font-size: 14px; font-weight: 650; }
.questions .all { margin-left: auto; min-height: 0; padding: 4px 8px; }
.approval { display: grid; gap: 8px; outline: none; }
.approval-what { font-weight: 600; }
.approval-what code { color: var(--accent-text); }
.approval-again { color: var(--warn); font-weight: 600; }
.approval pre { max-height: 170px; overflow: auto; padding: 8px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--sunk); font-size: 12.5px; white-space: pre-wrap; overflow-wrap: anywhere; }
.approval .link { justify-self: start; }
.approval .actions button { max-width: 100%; overflow-wrap: anywhere; }
.approval .actions code { display: none; }

@media (max-width: 480px) {
  :host { inset: auto 8px 8px auto !important; }
  :host([data-position="bottom-left"]) { inset: auto auto 8px 8px !important; }
  :host([data-position="top-right"]) { inset: 8px 8px auto auto !important; }
  :host([data-position="top-left"]) { inset: 8px auto auto 8px !important; }
  .frame { max-width: calc(100vw - 16px); }
  .panel { width: calc(100vw - 16px); max-height: calc(100dvh - 16px); }
  .panel:not([hidden]) ~ .pill { display: none; }
}
@media print { :host { display: none !important; } }
`;
