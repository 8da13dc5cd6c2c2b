/**
 * Promise: the guide for Astro works as it is written, in a static site with view transitions.
 */
import { nginx } from "../../js/sdk/pack-test/nginx.ts";
import { startWorld, writeSite } from "./site.ts";
import { visits } from "./visit.ts";

const world = await startWorld();
const site = await writeSite("astro", world);
site.app.run("astro", "build");
await nginx(site.app, world.collector.url, site.url, "", "dist");

visits("Astro", world, site);
