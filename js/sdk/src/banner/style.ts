/**
 * The banner's style sheet. Both of its sheets are constructed, which a content security policy without inline styles allows.
 *
 * Sizes are in `em` of the banner: it has 16 px where a site makes `rem` smaller, and grows with a visitor's larger text.
 */

/** The custom properties that a site may set on `:root` or on `hilo-banner`, with their values in a light and in a dark page. */
const THEME: [name: string, light: string, dark: string][] = [
  ["background", "#fff", "#1b1d22"],
  ["ink", "#191b20", "#f2f3f5"],
  ["soft", "#4b505a", "#c0c4cc"],
  ["line", "#d9dce2", "#3a3e47"],
  ["control", "#737985", "#8f96a3"],
  ["button", "#1f3a5f", "#cfe0f7"],
  ["button-ink", "#fff", "#10233c"],
  ["focus", "#0b63ce", "#8cc2ff"],
];

const theme = (i: 1 | 2) => THEME.map((row) => `--${row[0]}:var(--hilo-banner-${row[0]},${row[i]});`).join("");

// The height below which the first layer is a part of the page: beside it would be no room for a control. A window of 1280 × 1024 that
// is enlarged four times is 320 × 256.
const LOW = "(max-height:34em)";

/** In a higher window the answers stay in sight while the text above them scrolls. */
export const STYLE = `
:host{all:initial;display:block;${theme(1)}color-scheme:light;font:max(1rem,16px)/1.5 var(--hilo-banner-font,system-ui,sans-serif);color:var(--ink);-webkit-text-size-adjust:100%;text-size-adjust:100%}
:host([data-dark]){${theme(2)}color-scheme:dark}
*{box-sizing:border-box;font:inherit;margin:0}
[hidden]{display:none!important}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
section,dialog{background:var(--background);color:var(--ink);border:1px solid var(--line);border-radius:var(--hilo-banner-radius,1em);box-shadow:0 .75em 2.75em #0004;overflow-y:auto;overscroll-behavior:contain;padding:1.5em}
section{position:fixed;z-index:2147483647;inset:auto auto 1.25em 1.25em;width:min(31em,100vw - 2.5em);max-height:calc(100vh - 2.5em);max-height:calc(100dvh - 2.5em)}
h2{font-size:1.25em;font-weight:650;line-height:1.25;text-wrap:balance;outline-offset:4px}
p,small{color:var(--soft);font-size:.9375em;text-wrap:pretty}
section p{margin-top:.5em}
[part=purposes]{color:var(--ink);font-weight:500}
dialog>p{margin-top:.875em}
a{color:inherit;text-underline-offset:.2em;display:inline-block;padding:.7em 0;margin:-.5em 0 -.7em}
a:hover{color:var(--ink)}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,max(7em,40%)),1fr));gap:.625em;margin-top:.5em;padding-top:.625em;background:var(--background)}
.answers :nth-child(3):last-child{grid-column:1/-1}
button{min-height:3em;padding:.5em .75em;border:2px solid var(--button);border-radius:var(--hilo-banner-button-radius,.625em);background:var(--button);color:var(--button-ink);font-weight:600;line-height:1.2;overflow-wrap:anywhere;cursor:pointer;transition:opacity .15s}
button:hover{opacity:.88}
:focus-visible{outline:3px solid var(--focus);outline-offset:3px}
dialog{position:fixed;inset:0;margin:auto;width:min(36em,100vw - 2em);max-height:calc(100vh - 2em);max-height:calc(100dvh - 2em)}
dialog::backdrop{background:#0009}
fieldset{border:0;padding:0;min-width:0;margin-top:1.125em}
legend{font-weight:650;padding:0}
.row{display:grid;grid-template-columns:2.75em 1fr;align-items:start;min-height:2.75em;padding:.6em 0;border-top:1px solid var(--line)}
.row:last-child{border-bottom:1px solid var(--line)}
fieldset+fieldset .row:first-of-type{margin-top:.5em}
.row b{font-weight:600;display:block}
.row small{display:block}
label.row{cursor:pointer}
.fixed{grid-template-columns:1fr}
input{appearance:none;-webkit-appearance:none;width:1.5em;height:1.5em;border:2px solid var(--control);border-radius:.375em;background:var(--background);cursor:pointer;display:grid;place-content:center}
input:checked{background:var(--button);border-color:var(--button)}
input:checked::before{content:"";width:.4em;height:.75em;border:solid var(--button-ink);border-width:0 .18em .18em 0;transform:translateY(-.08em) rotate(45deg)}
.failed{color:var(--ink);border-inline-start:4px solid currentColor;padding-inline-start:.75em;margin-top:1em}
@media (max-width:36em){section{inset:auto .75em .75em;width:auto;padding:1.25em}dialog{padding:1.25em}.answers button{padding-inline:.375em}}
@media not all and ${LOW}{section,dialog{scroll-padding-bottom:10em}.answers{position:sticky;bottom:-1.5em;margin-bottom:-1.5em;padding-bottom:1.5em}}
@media ${LOW}{section{position:static;width:auto;max-height:none;border-width:0 0 1px;border-radius:0;box-shadow:none;padding:1em 1.25em}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media (forced-colors:active){section,dialog{border:2px solid}input:checked::before{border-color:CanvasText;forced-color-adjust:none}button:hover{opacity:1}}
`;

/** Between a control of the page and the first layer: as much as the ring of a focus needs. */
const GAP_PX = 16;

/** Room below the page, so that each control can be scrolled free of the first layer, and the focus is not hidden behind it. */
export const room = (height: number) => (height ? `:root{scroll-padding-bottom:${height + GAP_PX}px;padding-bottom:${height + GAP_PX}px}` : "");
