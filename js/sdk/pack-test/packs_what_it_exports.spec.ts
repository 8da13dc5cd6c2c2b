/**
 * Promise: the package holds the files that its `exports` name and no others, and its types are right.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { install } from "./support.ts";

const app = install();
after(() => app.remove());

test("the package holds every export and no other file of the sources", () => {
  const manifest = JSON.parse(readFileSync(join(app.folder, "node_modules/hilo-tracker/package.json"), "utf8"));
  const targets = (value: unknown): string[] => (typeof value === "string" ? [value] : Object.values(value as object).flatMap(targets));
  for (const target of targets([manifest.exports, manifest.types])) {
    assert.ok(app.packed.includes(target.replace("./", "")), `${target} is not in the tarball`);
  }
  assert.deepEqual(app.packed.filter((path) => /cdn|src|pack-test|\.map$/.test(path)), []);
  assert.deepEqual(manifest.dependencies ?? {}, {}, "a page pulls in nothing else");
});

const USE = `
import { load, type ConsentState, type Hilo } from "hilo-tracker";
import { load as inline } from "hilo-tracker/inline";
const hilo: Hilo = await load({ key: "wk_t", capture: { forms: false }, consent: { pending: "drop" } });
hilo.track("Product Added", { price: 9.5, tags: ["a"] });
hilo.consent.grant("analytics", "advertising");
hilo.consent.on((state: ConsentState) => void state.analytics)();
const id: string | null = (await inline({ key: "wk_t" })).anonymousId();
// @ts-expect-error: there is no such kind of capture
await load({ key: "wk_t", capture: { froms: false } });
// @ts-expect-error: there is no such purpose
hilo.consent.grant("marketing");
// @ts-expect-error: a key is needed
await load({});
export { id };
`;

for (const [module, resolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]] as const) {
  test(`the types of the package resolve by ${resolution}`, () => {
    app.write("use.ts", USE);
    const flags = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--types", ""];
    app.run("tsc", ...flags, "--module", module, "--moduleResolution", resolution, "use.ts");
  });
}
