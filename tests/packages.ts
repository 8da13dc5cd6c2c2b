/**
 * The npm packages that specs use, taken from `js/node_modules`.
 *
 * Node looks for packages beside the importing file and in the folders above, and the specs stand outside `js/`. This one
 * bridge is simpler than a second package.json with a second install.
 */
import { createRequire } from "node:module";

const require = createRequire(new URL("../js/package.json", import.meta.url));

export const miniflare = require("miniflare") as typeof import("../js/node_modules/miniflare/dist/src/index.d.ts");
export const wrangler = require("wrangler") as typeof import("../js/node_modules/wrangler/wrangler-dist/cli.d.ts");
export const { chromium } = require("playwright-core") as typeof import("../js/node_modules/playwright-core/index.d.ts");
export const { build } = require("esbuild") as typeof import("../js/node_modules/esbuild/lib/main.d.ts");
