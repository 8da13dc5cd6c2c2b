/**
 * Bundles the SDK: `node build.ts DIR`. DIR holds what wasm-bindgen made of the page's modules.
 *
 * Out: `dist/` (the npm package), `dist/cdn/` (the files that the collector serves), `dist/stub.js` and `snippet.html`. On the
 * collector `hilo.js` has a short life. The other files bear the hash of their content in their names and live for ever. Each
 * file has `.br` and `.gz` beside it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build, type BuildOptions, type Plugin } from "esbuild";

import { compareFace } from "./face.ts";
import * as kinds from "./src/capture/index.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
const dist = join(home, "dist");
const bound = resolve(process.argv[2] ?? "target/sdk");
const wasm = readFileSync(join(bound, "hilo_tracker_bg.wasm"));
const hashed = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "cdn"), { recursive: true });

for (const name of ["tracker", "cart", "more"]) {
  compareFace(`hilo-${name === "tracker" ? "" : `${name}-`}wasm`, join(bound, `hilo_${name}.d.ts`));
  glue(`hilo_${name}`);
}

const shared: BuildOptions = {
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  alias: {
    "hilo-wasm": join(bound, "hilo_tracker.js"),
    "hilo-page": join(home, "src/page.ts"),
    "hilo-cart-wasm": join(bound, "hilo_cart.js"),
    "hilo-cart-page": join(home, "src/cart/page.ts"),
    "hilo-more-wasm": join(bound, "hilo_more.js"),
  },
};

/** Names inside the cart's code that stay there: `hilo.js`, other tabs and the storage never see them. */
const INNER = /^(retryAfterS|viewed|hasLeft|mayAsk|nextMessage|isWaiting|hasLabel|hasOrder)$/;

/** A part that loads when it is used: its code as `NAME.js` of the package, and both files under their hashes. */
async function part(name: string, options: BuildOptions) {
  const outfile = join(dist, `${name}.js`);
  await build({ ...shared, ...options, entryPoints: [join(home, `src/${name}/entry.ts`)], format: "esm", outfile });
  const [code, module] = [readFileSync(outfile), readFileSync(join(bound, `hilo_${name}_bg.wasm`))];
  const [file, wasmFile] = [`hilo-${name}.${hashed(code)}.js`, `hilo-${name}.${hashed(module)}.wasm`];
  writeFileSync(join(dist, "cdn", file), code);
  writeFileSync(join(dist, "cdn", wasmFile), module);
  writeFileSync(join(dist, `hilo-${name}.wasm`), module);
  return { file, wasmFile, module };
}

// The parts come first: the file that loads them names them by their content.
const cart = await part("cart", { mangleProps: INNER });
const more = await part("more", {});
const early = Object.fromEntries(Object.entries(kinds).map(([kind, { early }]) => [kind, early]));
shared.define = {
  HILO_CART_FILE: JSON.stringify(cart.file),
  HILO_CART_WASM_FILE: JSON.stringify(cart.wasmFile),
  HILO_MORE_FILE: JSON.stringify(more.file),
  HILO_MORE_WASM_FILE: JSON.stringify(more.wasmFile),
  HILO_KINDS: JSON.stringify(early),
};
/** In the package a part stays a file of its own, beside the one that loads it. */
const besides: Plugin = {
  name: "parts",
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/(cart|more)\/entry\.ts$/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path: `./${path.split("/").at(-2)}.js`, external: true } : null,
    ),
};

// The first module stands in the script as text, a character a byte: a second request would cost a slow link a round trip.
// The mask makes the frequent bytes letters that need no escape. Then the text compresses within a fiftieth of the bytes; 118 was
// the best of all 256 masks. The byte order mark makes the file UTF-8 wherever it is served from. The hint lets a browser compile
// the whole script beside the page's thread while it streams (V8's explicit compile hints).
const MASK = 118;
await build({
  ...shared,
  charset: "utf8",
  banner: { js: "\ufeff//# allFunctionsCalledOnLoad" },
  define: { ...shared.define, HILO_WASM_TEXT: JSON.stringify(Buffer.from(wasm.map((byte) => byte ^ MASK)).toString("latin1")), HILO_WASM_MASK: `${MASK}` },
  entryPoints: [join(home, "src/entry/snippet.ts")],
  format: "iife",
  outfile: join(dist, "cdn/hilo.js"),
});
await build({ ...shared, entryPoints: [join(home, "src/entry/url.ts")], format: "esm", plugins: [besides], outfile: join(dist, "index.js") });
await build({
  ...shared,
  define: {
    ...shared.define,
    HILO_WASM_BASE64: JSON.stringify(wasm.toString("base64")),
    HILO_CART_WASM_BASE64: JSON.stringify(cart.module.toString("base64")),
    HILO_MORE_WASM_BASE64: JSON.stringify(more.module.toString("base64")),
  },
  entryPoints: [join(home, "src/entry/inline.ts")],
  format: "esm",
  outfile: join(dist, "inline.js"),
});
// Without "use strict", which the package's settings would add: the stub counts bytes.
await build({ entryPoints: [join(home, "src/loader.ts")], minify: true, target: "es2022", tsconfigRaw: "{}", outfile: join(dist, "stub.js") });

writeFileSync(join(dist, "hilo.wasm"), wasm);
for (const file of ["hilo.js", cart.file, cart.wasmFile, more.file, more.wasmFile]) compress(join(dist, "cdn", file));
// The public types stand alone: the names of the capture kinds are written out.
const types = readFileSync(join(home, "src/types.ts"), "utf8");
const names = Object.keys(kinds).map((kind) => JSON.stringify(kind)).join(" | ");
writeFileSync(join(dist, "types.d.ts"), types.replace(/^import type \* as kinds .*\n\n/m, "").replace("keyof typeof kinds", names));
writeFileSync(
  join(dist, "index.d.ts"),
  'import type { Hilo, Options } from "./types.js";\nexport type * from "./types.js";\n' +
    "/** Starts the tracker on this page, once. Always resolves; on a server, to a tracker that does nothing. */\n" +
    "export declare const load: (options: Options) => Promise<Hilo>;\n",
);
// For a page with the snippet: `"types": ["hilo-tracker/global"]` in its tsconfig.json.
writeFileSync(
  join(dist, "global.d.ts"),
  'import type { Hilo } from "./types.js";\ndeclare global {\n  /** The stub of the snippet, and then the tracker. */\n  var hilo: Hilo;\n}\n',
);

const stub = readFileSync(join(dist, "stub.js"), "utf8").trim();
const hash = createHash("sha256").update(stub).digest("base64");
writeFileSync(
  join(home, "snippet.html"),
  `<!-- Content security policy: script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}'; connect-src 'self' -->\n` +
    `<script>${stub}</script>\n<script async src="/_h/hilo.js" data-key="wk_shop"></script>\n`,
);

/**
 * Writes `NAME.js`: the glue with the short names that wasm-opt gave the module's imports and exports, `imports` for
 * instantiating it, and `bind` for what comes out of that.
 */
function glue(name: string) {
  type Names = { imports: [module: string, name: string, short: string][]; exports: [name: string, short: string][] };
  const names = JSON.parse(readFileSync(join(bound, `${name}_names.json`), "utf8")) as Names;
  const exported = new Map(names.exports);
  const short = (long: string) => exported.get(long) ?? long;
  const own = simple(readFileSync(join(bound, `${name}_bg.js`), "utf8")).replace(/\bwasm\.(\w+)/g, (_, long: string) => `wasm.${short(long)}`);
  // The module imports functions without glue directly.
  const foreign = names.imports.filter(([module]) => module !== `./${name}_bg.js`);
  const lines = [
    ...foreign.map(([module, long, letter]) => `import { ${long} as direct_${letter} } from ${JSON.stringify(module)};`),
    own,
    `export const imports = { a: {`,
    ...names.imports.map((one) => `${one[2]}: ${foreign.includes(one) ? `direct_${one[2]}` : one[1]},`),
    `} };`,
    `export function bind(exports) { __wbg_set_wasm(exports); exports.${short("__wbindgen_start")}?.(); }`,
  ];
  writeFileSync(join(bound, `${name}.js`), lines.join("\n"));
}

/**
 * The glue with only the plain way to pass text, and with one decoder: another way saves a copy of long texts, and Safari wants another
 * decoder after 2 GB. Together they are a tenth of the cart's code.
 */
function simple(glue: string): string {
  const twoWays = /^ {4}if \(realloc === undefined\) \{\n([^]*?)^ {4}\}\n[^]*?^\}\n/m;
  const counted = /^ {4}numBytesDecoded \+= len;\n[^]*?^ {4}\}\n/m;
  if (!twoWays.test(glue) || !counted.test(glue)) throw new Error("wasm-bindgen passes text in another way now");
  return glue.replace(twoWays, "$1}\n").replace(/^if \(!\('encodeInto'[^]*?^\}\n/m, "").replace(counted, "");
}

function compress(path: string) {
  const bytes = readFileSync(path);
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, best));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
