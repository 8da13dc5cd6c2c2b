/**
 * Promise: the guides for sites without a bundler work as they are written. nginx serves their pages, as the recipe for the collector's
 * path describes. Shopify, WooCommerce and Tag Manager are pages that stand for them.
 */
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { nginx } from "../../js/sdk/pack-test/nginx.ts";
import { startWorld, writeSite } from "./site.ts";
import { visits } from "./visit.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const world = await startWorld();

/** Serves the guide's site, with a library of npm's in each page where `library` names one. */
async function served(name: string, library?: string, change: (html: string) => string = (html) => html) {
  const site = await writeSite(name, world, (html) => change(library ? html.replace("</title>", '</title><script src="/library.js"></script>') : html));
  const { folder } = site.app;
  cpSync(here("sites/consent-bar.js"), join(folder, "consent-bar.js"));
  if (library) cpSync(here(`node_modules/${library}`), join(folder, "library.js"));
  // What stands for a shop system's own answers, and what the guide itself says of nginx.
  const rules = join(folder, "rules.conf");
  const more = [existsSync(rules) ? readFileSync(rules, "utf8") : "", site.guide.files.get("security.conf") ?? ""];
  await nginx(site.app, world.collector.url, site.url, more.join("\n"));
  return site;
}

visits("plain HTML", world, await served("plain-html"));
visits("Turbo", world, await served("turbo-and-htmx", "@hotwired/turbo/dist/turbo.es2017-umd.js"));
visits("htmx", world, await served("turbo-and-htmx", "htmx.org/dist/htmx.min.js", (html) => html.replace("<body>", '<body hx-boost:inherited="true">')));
visits("a strict content security policy", world, await served("strict-csp"));
visits("one of two domains", world, await served("another-domain"));
visits("Shopify's theme", world, await served("shopify"));
visits("WooCommerce", world, await served("woocommerce"));
visits("Tag Manager", world, await served("tag-manager"));
visits("analytics.js", world, await served("from-analyticsjs"));
visits("GA4", world, await served("from-ga4"));
