/**
 * Bundles the SDK: `node build.ts DIR [DIST]`. DIR holds what wasm-bindgen made of the page's modules. DIST is `dist/` by default.
 *
 * Out: `dist/` (the npm package), `dist/cdn/` (the files that the collector serves), `dist/stub.js` and `snippet.html`. On the
 * collector `hilo.js` has a short life. The other files bear the hash of their content in their names and live for ever. Each
 * file has `.br` and `.gz` beside it.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build, transform, type BuildOptions, type Plugin } from "esbuild";
import { minify } from "terser";

import { compareFace } from "./face.ts";
import { plainOf } from "./plain.ts";
import * as all from "./src/capture/index.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
const dist = resolve(process.argv[3] ?? join(home, "dist"));
const bound = resolve(process.argv[2] ?? "target/sdk");
const wasm = readFileSync(join(bound, "hilo_tracker_bg.wasm"));
const hashed = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "cdn"), { recursive: true });

for (const name of ["tracker", "cart", "more", "shop"]) {
  compareFace(`hilo-${name === "tracker" ? "" : `${name}-`}wasm`, join(bound, `hilo_${name}.d.ts`));
  glue(`hilo_${name}`);
}

/** A capture kind that is left out, where `cargo xtask size --kinds` asks what it costs. */
const leftOut = process.env["HILO_WITHOUT"];
const kinds = Object.fromEntries(Object.entries(all).filter(([kind]) => kind !== leftOut));
const others: Plugin = {
  name: "other kinds",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/capture\/index\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(new RegExp(`^export \\{ ${leftOut} \\}.*$`, "m"), ""),
      loader: "ts",
    })),
};

const shared: BuildOptions = {
  bundle: true,
  plugins: leftOut ? [others] : [],
  minify: true,
  target: "es2022",
  legalComments: "none",
  alias: {
    "hilo-wasm": join(bound, "hilo_tracker.js"),
    "hilo-page": join(home, "src/page.ts"),
    "hilo-said": join(home, "src/said.ts"),
    "hilo-storage": join(home, "src/storage.ts"),
    "hilo-cart-wasm": join(bound, "hilo_cart.js"),
    "hilo-cart-page": join(home, "src/cart/page.ts"),
    "hilo-more-wasm": join(bound, "hilo_more.js"),
    "hilo-shop-wasm": join(bound, "hilo_shop.js"),
  },
};

/** Names inside the cart's code that stay there: `hilo.js`, other tabs and the storage never see them. */
const INNER = /^(retryAfterS|viewed|hasLeft|mayAsk|nextMessage|isWaiting|hasLabel|hasOrder)$/;

/** Bundles into `outfile`, and makes it smaller than esbuild does: terser finds a sixteenth of the first file's code. Returns the code. */
async function bundle(options: BuildOptions, begins = "", puts: (code: string) => string = (code) => code): Promise<string> {
  const { outputFiles } = await build({ ...shared, ...options, write: false });
  // A function without `this` may be an arrow, since nothing here constructs one.
  // Reading a property does nothing else.
  const compress = { keep_fargs: false, passes: 4, pure_getters: true, unsafe_arrows: true };
  const { code = "" } = await minify(outputFiles![0]!.text, { compress, ecma: 2020, mangle: { reserved: ["$$"] }, module: options.format === "esm" });
  const whole = begins + puts(code);
  writeFileSync(options.outfile!, whole);
  return whole;
}

/**
 * Writes a module for the package and, under one hash with the `code` that loads it, for the collector: as WebAssembly, and as JavaScript
 * for a page that may not run it. Returns the name on the collector, without its ending. The first module stands inside `hilo.js`.
 */
async function moduleFiles(name: string, module: Uint8Array, code = ""): Promise<string> {
  const file = `hilo${name === "tracker" ? "" : `-${name}`}`;
  const text = await plainOf(readFileSync(join(bound, `hilo_${name}_plain.js`), "utf8"));
  const hashedName = `${file}.${hashed(Buffer.concat([module, Buffer.from(text + code)]))}`;
  for (const path of [`${file}.mjs`, `cdn/${hashedName}.mjs`]) writeFileSync(join(dist, path), text);
  for (const path of [`${file}.wasm`, ...(name === "tracker" ? [] : [`cdn/${hashedName}.wasm`])]) writeFileSync(join(dist, path), module);
  return hashedName;
}

/** Code that loads when it is used, as `NAME.js` of the package. */
const late = (name: string, options: BuildOptions = {}) =>
  bundle({ ...options, entryPoints: [join(home, `src/${name}/entry.ts`)], format: "esm", outfile: join(dist, `${name}.js`) });

/** A part that loads when it is used: its module, and the name of its files on the collector without their endings. */
async function part(name: string, options: BuildOptions) {
  const code = await late(name, options);
  const module = readFileSync(join(bound, `hilo_${name}_bg.wasm`));
  const file = await moduleFiles(name, module, code);
  writeFileSync(join(dist, `cdn/${file}.js`), code);
  return { file, module };
}

// The parts come first: the file that loads them names them by their content. The second file loads the shop's and the debugger.
const cart = await part("cart", { mangleProps: INNER });
const shop = await part("shop", {});
const debugCode = await late("debug");
const debugFile = `hilo-debug.${hashed(Buffer.from(debugCode))}`;
writeFileSync(join(dist, `cdn/${debugFile}.js`), debugCode);
const lateNames = {
  HILO_SHOP_FILE: JSON.stringify(shop.file),
  HILO_DEBUG_FILE: JSON.stringify(debugFile),
};
const more = await part("more", { define: lateNames });
const early = Object.fromEntries(Object.entries(kinds).map(([kind, { usual, targets, early }]) => [kind, early.length ? [usual, targets, ...early] : [usual]]));
shared.define = {
  HILO_CART_FILE: JSON.stringify(cart.file),
  HILO_MORE_FILE: JSON.stringify(more.file),
  ...lateNames,
  HILO_PLAIN_FILE: JSON.stringify(await moduleFiles("tracker", wasm)),
  HILO_KINDS: JSON.stringify(early),
  HILO_STREAMS: "true",
};
/** In the package a part stays a file of its own, beside the one that loads it. */
const besides: Plugin = {
  name: "parts",
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/(cart|more|shop|debug)\/entry\.ts$/ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path: `./${path.split("/").at(-2)}.js`, external: true } : null,
    ),
};

// The first module stands in the script as text, a character a byte: a second request would cost a slow link a round trip.
// A mask makes the frequent bytes letters that need no escape. Then the text compresses within a fiftieth of the bytes. Which mask is
// the best depends on the module: these were the best of all 256 for one module or another. The byte order mark makes the file UTF-8
// wherever it is served from. The hint lets a browser compile the whole script beside the page's thread while it streams (V8's explicit
// compile hints).
const MASKS = [60, 62, 79, 85, 118];
/** `hilo.js` with the module under `mask`. */
async function script(mask: number) {
  const text = JSON.stringify(Buffer.from(wasm.map((byte) => byte ^ mask)).toString("latin1"));
  // esbuild writes a text of many bytes shorter than terser does.
  const literal = (await transform(`HILO_WASM_TEXT=${text}`, { minify: true, charset: "utf8", target: "es2022" })).code.replace("HILO_WASM_TEXT=", "").replace(/;\n$/, "");
  return firstCode.replace(/\b99999\b/, `${mask}`).replace(/\(\);?\n?$/, () => `(${literal});\n`);
}
const firstCode = await bundle(
  {
    charset: "utf8",
    // A number that occurs nowhere else, until a mask takes its place.
    define: { ...shared.define, HILO_STREAMS: "false", HILO_WASM_MASK: "99999" },
    entryPoints: [join(home, "src/entry/snippet.ts")],
    format: "iife",
    outfile: join(dist, "cdn/hilo.js"),
  },
  "\ufeff//# allFunctionsCalledOnLoad\n",
  // The text comes last, as the argument `$$` of the whole script: code compresses better where nothing divides it. esbuild gives `$` to others.
  (code) => code.replace("(()=>{", () => "($$=>{").replace("HILO_WASM_TEXT", () => "$$"),
);
const scripts = await Promise.all(MASKS.map(script));
const [smallest] = scripts.toSorted((one, other) => brotli(one).length - brotli(other).length);
writeFileSync(join(dist, "cdn/hilo.js"), smallest!);
await bundle({ entryPoints: [join(home, "src/entry/url.ts")], format: "esm", plugins: [besides], outfile: join(dist, "index.js") });
await bundle({
  define: {
    ...shared.define,
    HILO_STREAMS: "false",
    HILO_WASM_BASE64: JSON.stringify(wasm.toString("base64")),
    HILO_CART_WASM_BASE64: JSON.stringify(cart.module.toString("base64")),
    HILO_MORE_WASM_BASE64: JSON.stringify(more.module.toString("base64")),
    HILO_SHOP_WASM_BASE64: JSON.stringify(shop.module.toString("base64")),
  },
  entryPoints: [join(home, "src/entry/inline.ts")],
  format: "esm",
  outfile: join(dist, "inline.js"),
});
// The banner needs no module. A site that has its own banner loads no byte of this one.
await bundle({ entryPoints: [join(home, "src/entry/banner_tag.ts")], format: "iife", outfile: join(dist, "cdn/hilo-banner.js") });
await bundle({ entryPoints: [join(home, "src/entry/banner.ts")], format: "esm", outfile: join(dist, "banner.js") });
// Without "use strict", which the package's settings would add: the stub counts bytes.
const { outputFiles } = await build({ entryPoints: [join(home, "src/loader.ts")], minify: true, target: "es2022", tsconfigRaw: "{}", write: false });
const { code: stubCode = "" } = await minify(outputFiles[0]!.text, { compress: { passes: 4 }, ecma: 2020 });
writeFileSync(join(dist, "stub.js"), stubCode);

writeFileSync(join(dist, "cdn/hilo-stub.js"), readFileSync(join(dist, "stub.js")));
for (const file of readdirSync(join(dist, "cdn"))) compress(join(dist, "cdn", file));
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
writeFileSync(
  join(dist, "banner.d.ts"),
  'import type { Banner, BannerOptions, Hilo } from "./types.js";\nexport type * from "./types.js";\n' +
    "/** Adds the banner to the page, and `hilo.banner`. On a server it does nothing. */\n" +
    "export declare function addBanner(hilo: Hilo, options?: BannerOptions): Banner;\n",
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
    `export function bind(exports) { __wbg_set_wasm(exports); ${exported.has("__wbindgen_start") ? `exports.${short("__wbindgen_start")}();` : ""} }`,
  ];
  writeFileSync(join(bound, `${name}.js`), lines.join("\n"));
}

/**
 * The glue with only the plain way to pass text, and with one decoder: another way saves a copy of long texts, and Safari wants another
 * decoder after 2 GB. Together they are a tenth of the cart's code. A module that takes no objects needs no table of them. A new view of
 * the memory at each call costs less than code that keeps one. Rust's texts are UTF-8, so no decoder has to refuse one.
 */
function simple(glue: string): string {
  const twoWays = /^ {4}if \(realloc === undefined\) \{\n([^]*?)^ {4}\}\n[^]*?^\}\n/m;
  const decoding = /^let cachedTextDecoder [^]*?^function decodeText\([^]*?^\}\n/m;
  const bytes = /^let cachedUint8ArrayMemory0[^]*?^\}\n/m;
  const kept = /^let cachedDataViewMemory0[^]*?^\}\n/m;
  if (![twoWays, decoding, bytes].every((one) => one.test(glue))) throw new Error("wasm-bindgen passes text in another way now");
  return glue
    .replace(twoWays, "$1}\n")
    .replace("subarray(ptr, ptr + buf.length).set(buf)", "set(buf, ptr)")
    .replace(/^if \(!\('encodeInto'[^]*?^\}\n/m, "")
    .replace(
      decoding,
      "const decoder = new TextDecoder('utf-8', { ignoreBOM: true });\nconst decodeText = (ptr, len) => decoder.decode(new Uint8Array(wasm.memory.buffer, ptr, len));\n",
    )
    .replace(bytes, "const getUint8ArrayMemory0 = () => new Uint8Array(wasm.memory.buffer);\n")
    .replace(kept, "const getDataViewMemory0 = () => new DataView(wasm.memory.buffer);\n")
    .replace(
      /getDataViewMemory0\(\)\.setInt32\(arg0 \+ 4 \* 1, (\w+), true\);\s+getDataViewMemory0\(\)\.setInt32\(arg0 \+ 4 \* 0, (\w+), true\);/g,
      "new Int32Array(wasm.memory.buffer, arg0).set([$2, $1]);",
    );
}

function brotli(text: string | Uint8Array) {
  const bytes = Buffer.from(text);
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
}

function compress(path: string) {
  const bytes = readFileSync(path);
  writeFileSync(`${path}.br`, brotli(bytes));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
