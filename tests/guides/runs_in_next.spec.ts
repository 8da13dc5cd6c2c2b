/**
 * Promise: the guide for Next works as it is written, in an app that Next built and started.
 */
import { renameSync } from "node:fs";
import { join } from "node:path";

import { startWorld, writeSite } from "./site.ts";
import { visits } from "./visit.ts";

const world = await startWorld();
const site = await writeSite("next", world);
const { app, url, port } = site;
// Next takes an app with this file for one in TypeScript.
renameSync(join(app.folder, "tsconfig.json"), join(app.folder, "jsconfig.json"));
app.run("next", "build");
await app.start(url, "next", "start", "--hostname", "127.0.0.1", "--port", port);

visits("Next", world, site);
