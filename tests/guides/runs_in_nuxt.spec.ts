/**
 * Promise: the guide for Nuxt works as it is written, in an app that Nuxt built and its own server serves.
 */
import { startWorld, writeSite } from "./site.ts";
import { visits } from "./visit.ts";

const world = await startWorld();
const site = await writeSite("nuxt", world);
const { app, url, port } = site;
app.run("nuxt", "build");
await app.start(url, "/usr/bin/env", "HOST=127.0.0.1", `PORT=${port}`, process.execPath, ".output/server/index.mjs");

// Nuxt's proxy passes no sockets on, as the guide tells.
visits("Nuxt", world, site, /^WebSocket connection to .*\/_h\/v1\/cart\/live/);
