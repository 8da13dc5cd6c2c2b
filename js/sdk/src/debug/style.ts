/**
 * The panel's style sheet. It is constructed, which a content security policy without inline styles allows.
 */

/** At the top: the banner of the site, and hilo's, mostly stand at the bottom. */
export const STYLE = `
:host{all:initial;display:block;color-scheme:dark;font:max(.875rem,14px)/1.45 system-ui,sans-serif;color:#f2f3f5;-webkit-text-size-adjust:100%;text-size-adjust:100%}
*{box-sizing:border-box;font:inherit;margin:0}
[hidden]{display:none!important}
section{position:fixed;z-index:2147483647;inset:1em 1em auto auto;width:min(34em,100vw - 2em);max-height:calc(100vh - 2em);max-height:calc(100dvh - 2em);display:flex;flex-direction:column;background:#15171c;border:1px solid #5b616d;border-radius:.75em;box-shadow:0 .75em 2.75em #0008}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.25em .5em;padding:.625em .875em}
h2{font-size:1.125em;font-weight:650;margin-inline-end:auto}
header p{order:1;width:100%;color:#c0c4cc}
button{min-height:2.5em;padding:.25em .75em;border:1px solid #8f96a3;border-radius:.5em;background:#262a32;color:#f2f3f5;cursor:pointer}
button:hover{background:#343a45}
:focus-visible{outline:3px solid #8cc2ff;outline-offset:2px}
.body{overflow-y:auto;overscroll-behavior:contain;padding:0 .875em .75em;border-top:1px solid #3a3e47}
.body>details{border-bottom:1px solid #3a3e47}
summary{cursor:pointer;padding:.625em 0;min-height:2.5em}
h3{display:inline;font-weight:650}
dl{display:grid;grid-template-columns:minmax(7em,max-content) 1fr;gap:.25em .875em;padding-bottom:.75em}
dt{color:#c0c4cc;overflow-wrap:anywhere}
dd{overflow-wrap:anywhere}
ol,ul{list-style:none;padding:0 0 .5em}
li>details{border-top:1px solid #3a3e47}
li summary{display:grid;grid-template-columns:1fr auto;gap:.125em .75em;overflow-wrap:anywhere;list-style:none}
li summary::-webkit-details-marker{display:none}
li summary b{font-weight:600}
li summary b::before{content:"▸ ";color:#c0c4cc}
li details[open]>summary b::before{content:"▾ "}
time{color:#c0c4cc;font-variant-numeric:tabular-nums}
.state{grid-column:1/-1;justify-self:start;padding:0 .5em;border-radius:.375em;border:1px solid currentColor}
.accepted{color:#7fd99a}
.notice,.held,.waiting{color:#f2c96d}
.rejected,.dropped{color:#ffa198}
.queued{color:#a8cbff}
pre{font:.8125rem/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;background:#0c0d10;padding:.625em;border-radius:.375em;margin-bottom:.75em}
h4{color:#c0c4cc;padding-bottom:.25em}
.note{padding:.375em 0;overflow-wrap:anywhere}
label{display:flex;align-items:center;gap:.625em;min-height:2.75em;cursor:pointer}
input{width:1.25em;height:1.25em;accent-color:#8cc2ff}
@media (max-width:36em){section{inset:.5em .5em auto;width:auto;max-height:60vh;max-height:60dvh}}
@media (forced-colors:active){section,.state{border:2px solid}}
`;
