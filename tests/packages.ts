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
// What the judge of outgoing requests needs: JSON Schema 2020-12 with its formats, GraphQL, and the signatures' own library.
export const { Ajv2020 } = require("ajv/dist/2020") as typeof import("../js/node_modules/ajv/dist/2020.d.ts");
export const addFormats = require("ajv-formats") as typeof import("../js/node_modules/ajv-formats/dist/index.d.ts").default;
export const graphql = require("graphql") as typeof import("../js/node_modules/graphql/index.d.ts");
export const { Webhook } = require("standardwebhooks") as typeof import("../js/node_modules/standardwebhooks/dist/index.d.ts");
/** The source text of axe-core, which finds faults of accessibility, for a page to run. */
export const axe = (require("axe-core") as { source: string }).source;
