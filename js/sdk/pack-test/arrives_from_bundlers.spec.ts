/**
 * Promise: events arrive from Vite, webpack, esbuild, Rollup and a plain page, each with the package and with the snippet, behind the
 * proxy that its recipe describes.
 */
import assert from "node:assert/strict";
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { startBrowser } from "../../../tests/browser/scenario.ts";
import { startCollector } from "../../../tests/collector/mf.ts";
import { arrives, bundled, main, recipe, SNIPPET } from "./arrival.ts";
import { nginx } from "./nginx.ts";
import { type App, freePort, install } from "./support.ts";

const [collector, browser] = await Promise.all([startCollector(), startBrowser()]);
const sites: App[] = [];
after(async () => {
  for (const site of sites) site.remove();
  await browser.close();
  await collector.dispose();
});

/** A site of its own, with both pages. `build` starts its server. */
async function site(what: string, script: string, entry: string, build: (app: App, url: string, port: string) => Promise<void>) {
  const app = install();
  sites.push(app);
  app.write("index.html", bundled(script));
  app.write("snippet.html", SNIPPET);
  app.write("main.js", main(entry));
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}/`;
  await build(app, url, port);
  return { what, app, url };
}

const vite = await site("Vite's development server", "/main.js", "hilo-tracker", async (app, url, port) => {
  app.write("vite.config.js", recipe("vite/vite.config.js", collector.url));
  await app.start(url, "vite", "--host", "127.0.0.1", "--port", port, "--strictPort");
});

const webpack = await site("webpack's development server", "/out/main.js", "hilo-tracker", async (app, url, port) => {
  app.write("webpack.config.cjs", recipe("webpack/webpack.config.cjs", collector.url));
  app.write(
    "serve.cjs",
    `const webpack = require("webpack");
    const Server = require("webpack-dev-server");
    const { devServer } = require("./webpack.config.cjs");
    const output = { path: __dirname + "/out", publicPath: "/out/" };
    const compiler = webpack({ mode: "development", context: __dirname, entry: "./main.js", output });
    new Server({ ...devServer, static: __dirname, host: "127.0.0.1", port: ${port} }, compiler).start();`,
  );
  await app.start(url, process.execPath, "serve.cjs");
});

const esbuild = await site("what esbuild built, behind nginx,", "/out.js", "hilo-tracker/inline", async (app, url) => {
  app.run("esbuild", "main.js", "--bundle", "--format=esm", "--outfile=out.js");
  await nginx(app, collector.url, url);
});

const rollup = await site("what Rollup built, behind nginx,", "/out/main.js", "hilo-tracker/inline", async (app, url) => {
  app.run("rollup", "main.js", "--plugin", "node-resolve", "--format", "es", "--dir", "out");
  await nginx(app, collector.url, url);
});

const plain = await site("plain pages behind nginx", "/page.js", "/node_modules/hilo-tracker/dist/index.js", async (app, url) => {
  app.write("page.js", main("/node_modules/hilo-tracker/dist/index.js"));
  await nginx(app, collector.url, url);
});

const bare = [
  await site("esbuild", "/out/main.js", "hilo-tracker", async (app, url) => {
    app.run("esbuild", "main.js", "--bundle", "--format=esm", "--outdir=out");
    await nginx(app, collector.url, url);
  }),
  await site("Rollup", "/out/main.js", "hilo-tracker", async (app, url) => {
    app.run("rollup", "main.js", "--plugin", "node-resolve", "--format", "es", "--dir", "out");
    await nginx(app, collector.url, url);
  }),
];

for (const { what, url } of [vite, webpack, esbuild, rollup, plain]) {
  arrives(`${what} with the package`, browser, collector, url);
  arrives(`${what} with the snippet`, browser, collector, `${url}snippet.html`);
}

for (const { what, app, url } of bare) {
  test(`${what} leaves the .wasm files of the first entry behind, and the console names the entry to use`, async () => {
    const page = await browser.newPage();
    const error = page.waitForEvent("console", (message) => message.text().startsWith("hilo:"));
    await page.goto(url);
    assert.match((await error).text(), /^hilo: FileLeftBehind: The bundler left .* import "hilo-tracker\/inline"/, "the remedy comes first");
    // `load` resolves all the same.
    await page.waitForFunction(() => (window as any).hilo);
    await page.close();
    const dist = join(app.folder, "node_modules/hilo-tracker/dist");
    for (const file of readdirSync(dist)) if (file.endsWith(".wasm")) copyFileSync(join(dist, file), join(app.folder, "out", file));
  });
  arrives(`what ${what} built, with the .wasm files copied to its folder,`, browser, collector, url);
}
