/**
 * Promise: the guides for React, Vue and SvelteKit work as they are written: React under Vite's development server and in strict mode, the
 * others as Vite built them.
 */
import { startWorld, writeSite } from "./site.ts";
import { visits } from "./visit.ts";

const world = await startWorld();

/** Starts Vite with the guide's own configuration. */
async function vite(name: string, ...command: string[]) {
  const site = await writeSite(name, world);
  if (command.length) site.app.run("vite", "build", "--logLevel", "error");
  await site.app.start(site.url, "vite", ...command, "--host", "127.0.0.1", "--port", site.port, "--strictPort");
  return site;
}

visits("React", world, await vite("react"));
visits("Vue", world, await vite("vue", "preview"));
visits("SvelteKit", world, await vite("svelte", "preview"));
