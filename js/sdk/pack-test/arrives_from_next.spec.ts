/**
 * Promise: events arrive from a Next app (App Router, built and started), with the package and with the snippet, through `rewrites`.
 */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";

import { startBrowser } from "../../../tests/browser/scenario.ts";
import { startCollector } from "../../../tests/collector/mf.ts";
import { arrives, KEY, recipe, STUB } from "./arrival.ts";
import { freePort, install } from "./support.ts";

const [collector, browser] = await Promise.all([startCollector(), startBrowser()]);
const app = install();
after(async () => {
  app.remove();
  await browser.close();
  await collector.dispose();
});

// Next takes an app with this file for one in TypeScript.
renameSync(join(app.folder, "tsconfig.json"), join(app.folder, "jsconfig.json"));
app.write("next.config.mjs", recipe("next/next.config.mjs", collector.url));
app.write("app/tracker.jsx", recipe("next/app/tracker.jsx", collector.url));
app.write("app/layout.jsx", "export default ({ children }) => <html><head><link rel='icon' href='data:,' /></head><body>{children}</body></html>;\n");
app.write("app/page.jsx", 'import { Tracker } from "./tracker.jsx";\nexport default () => <Tracker />;\n');
app.write(
  "app/snippet.html/page.jsx",
  `const stub = ${JSON.stringify(STUB)};
export default () => <><script dangerouslySetInnerHTML={{ __html: stub }} /><script async src="/_h/hilo.js" data-key="${KEY}" /></>;\n`,
);
app.run("next", "build");
const port = String(await freePort());
const url = `http://127.0.0.1:${port}/`;
await app.start(url, "next", "start", "--hostname", "127.0.0.1", "--port", port);

arrives("Next with the package", browser, collector, url);
arrives("Next with the snippet", browser, collector, `${url}snippet.html`);
