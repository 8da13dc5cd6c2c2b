/**
 * Bundles the SDK: `node build.ts DIR`, DIR being what wasm-bindgen made of the tracker.
 *
 * Out: `dist/` (the npm package), `dist/cdn/` (what the collector serves: `hilo.js` with a short life, the module under
 * the hash of its content, each with `.br` and `.gz` beside it), `dist/stub.js` and `snippet.html`.
 */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build, type BuildOptions } from "esbuild";

const home = fileURLToPath(new URL(".", import.meta.url));
const dist = join(home, "dist");
const bound = resolve(process.argv[2] ?? "target/sdk");
const wasm = readFileSync(join(bound, "hilo_tracker_bg.wasm"));
const name = `hilo.${createHash("sha256").update(wasm).digest("hex").slice(0, 12)}.wasm`;

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "cdn"), { recursive: true });

const shared: BuildOptions = {
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  // The classic script gets the module handed over and never asks where it is itself.
  logOverride: { "empty-import-meta": "silent" },
  alias: { "hilo-wasm": join(bound, "hilo_tracker.js") },
  define: { HILO_WASM_FILE: JSON.stringify(name), HILO_WASM_BASE64: '""' },
};

await build({ ...shared, entryPoints: [join(home, "src/entry/snippet.ts")], format: "iife", outfile: join(dist, "cdn/hilo.js") });
await build({ ...shared, entryPoints: [join(home, "src/entry/url.ts")], format: "esm", outfile: join(dist, "index.js") });
await build({
  ...shared,
  define: { ...shared.define, HILO_WASM_BASE64: JSON.stringify(wasm.toString("base64")) },
  entryPoints: [join(home, "src/entry/inline.ts")],
  format: "esm",
  outfile: join(dist, "inline.js"),
});
await build({ entryPoints: [join(home, "src/loader.ts")], minify: true, target: "es2022", outfile: join(dist, "stub.js") });

writeFileSync(join(dist, "cdn", name), wasm);
writeFileSync(join(dist, "hilo.wasm"), wasm);
for (const file of ["hilo.js", name]) compress(join(dist, "cdn", file));
copyFileSync(join(home, "src/types.ts"), join(dist, "types.d.ts"));
writeFileSync(
  join(dist, "index.d.ts"),
  'import type { Hilo, Options } from "./types.js";\nexport type * from "./types.js";\n' +
    "/** Starts the tracker on this page, once. Always resolves; on a server, to a tracker that does nothing. */\n" +
    "export declare const load: (options: Options) => Promise<Hilo>;\n",
);

const stub = readFileSync(join(dist, "stub.js"), "utf8").trim();
const hash = createHash("sha256").update(stub).digest("base64");
writeFileSync(
  join(home, "snippet.html"),
  `<!-- Content security policy: script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}' -->\n` +
    `<script>${stub}</script>\n<script async src="/_h/hilo.js" data-key="wk_shop"></script>\n`,
);

function compress(path: string) {
  const bytes = readFileSync(path);
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, best));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
