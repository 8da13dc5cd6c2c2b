/**
 * Promise: the package runs in a page, bundled by vite or as it is. In a web worker it does nothing.
 */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { startBrowser } from "../../../tests/browser/scenario.ts";
import { install, serve } from "./support.ts";

const app = install();
const browser = await startBrowser();
after(async () => {
  await browser.close();
  app.remove();
});

const HTML = '<!doctype html><meta charset="utf-8"><title>App</title><link rel="icon" href="data:,"><form onsubmit="event.preventDefault()"><button>Send</button></form>';

/** Opens `folder`, grants and sends a form. Fails where the tracker does not come alive; returns the paths that were asked for. */
async function visit(folder: string) {
  const site = await serve(folder);
  const page = await (await browser.newContext()).newPage();
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.goto(`${site.url}/`);
  await page.waitForFunction(() => (window as any).hilo && !(window as any).hilo.q);
  const before = site.asked.filter((path) => path.includes("/v1/"));
  const told = page.waitForResponse("**/_h/v1/batch");
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  await page.evaluate(() => (window as any).hilo.flush());
  await told;
  // The second module loads with the first focus, and what it captures is sent like anything else.
  const form = page.waitForRequest((request) => request.postData()?.includes("Form Submitted") ?? false);
  await page.click("button");
  await form;
  await page.context().close();
  await site.close();
  assert.deepEqual(errors, []);
  assert.deepEqual(before, [], "nothing leaves before a grant");
  return site.asked;
}

for (const entry of ["hilo-tracker", "hilo-tracker/inline"]) {
  test(`an app that imports ${entry} and is built by vite captures events`, async () => {
    app.write("index.html", `${HTML}<script type="module" src="/main.js"></script>`);
    app.write("main.js", `import { load } from ${JSON.stringify(entry)};\nwindow.hilo = await load({ key: "wk_t" });\n`);
    app.run("vite", "build", "--logLevel", "error");
    const asked = await visit(join(app.folder, "dist"));
    const modules = asked.filter((path) => path.endsWith(".wasm")).map((path) => /hilo(-more)?/.exec(path)?.[0]);
    assert.deepEqual(modules, entry === "hilo-tracker" ? ["hilo", "hilo-more"] : [], `asked for: ${asked.join(" ")}`);
  });
}

test("a page that loads the package's files without a bundler captures events", async () => {
  app.write(
    "index.html",
    `${HTML}<script type="module">import { load } from "/node_modules/hilo-tracker/dist/index.js"; window.hilo = await load({ key: "wk_t" });</script>`,
  );
  await visit(app.folder);
});

test("a page with the script tag captures events", async () => {
  cpSync(new URL("../dist/cdn", import.meta.url), join(app.folder, "_h"), { recursive: true });
  app.write("index.html", `${HTML}<script async src="/_h/hilo.js" data-key="wk_t"></script>`);
  await visit(app.folder);
});

test("a web worker gets a tracker that does nothing", async () => {
  app.write("index.html", HTML);
  app.write(
    "worker.js",
    `import { load } from "/node_modules/hilo-tracker/dist/index.js";
    const hilo = await load({ key: "wk_t" });
    hilo.consent.grant("analytics"); hilo.track("A"); hilo.flush();
    postMessage({ id: hilo.anonymousId(), analytics: hilo.consent.state().analytics });`,
  );
  const site = await serve(app.folder);
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}/`);
  const told = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = (message) => resolve(message.data);
        worker.onerror = (event) => reject(new Error(event.message));
      }),
  );
  await page.context().close();
  await site.close();
  assert.deepEqual(told, { id: null, analytics: "unset" });
  assert.deepEqual(site.asked.filter((path) => path.endsWith(".wasm") || path.startsWith("/_h/")), []);
});
