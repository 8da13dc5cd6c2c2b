/**
 * The site of a guide: a small shop of `sites/`, with the code that the guide tells a reader to write. In: the guide's name. Out: an app
 * with the package installed, which nobody serves yet.
 */
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

import { type App, freePort, install } from "../../js/sdk/pack-test/support.ts";
import { startBrowser } from "../browser/scenario.ts";
import { type Collector, startCollector } from "../collector/mf.ts";
import { readGuide, withGuide } from "./guide.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
const sites = join(home, "sites");

/** A browser, and a collector that keeps what arrives. */
export interface World {
  browser: Awaited<ReturnType<typeof startBrowser>>;
  collector: Collector;
  apps: App[];
}

/** A world for a spec file, which ends with it. */
export async function startWorld(): Promise<World> {
  const [collector, browser] = await Promise.all([startCollector(), startBrowser()]);
  const apps: App[] = [];
  after(async () => {
    for (const app of apps) app.remove();
    await browser.close();
    await collector.dispose();
  });
  return { browser, collector, apps };
}

/** Writes the guide's site, on the shop of its name, or else on common pages. `change` makes each page what the site has beside the guide. */
export async function writeSite(name: string, { collector, apps }: World, change = (html: string) => html) {
  const guide = readGuide(name, collector.url);
  const app = install(home);
  apps.push(app);
  const own = join(sites, name);
  cpSync(existsSync(own) ? own : join(sites, "pages"), app.folder, { recursive: true });
  for (const [path, text] of guide.files) app.write(path, text);
  for (const path of readdirSync(app.folder, { recursive: true, encoding: "utf8" }))
    if (path.endsWith(".html") && !path.startsWith("node_modules")) app.write(path, withGuide(change(readFileSync(join(app.folder, path), "utf8")), guide));
  const port = String(await freePort());
  return { guide, app, port, url: `http://127.0.0.1:${port}/` };
}
