/**
 * Promise: the package holds the files that its `exports` name and no others, and its types are right.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { install } from "./support.ts";

const app = install();
after(() => app.remove());

test("the package holds every export, README and license, and no other file of the sources or the build", () => {
  const manifest = JSON.parse(readFileSync(join(app.folder, "node_modules/hilo-tracker/package.json"), "utf8"));
  const targets = (value: unknown): string[] => (typeof value === "string" ? [value] : Object.values(value as object).flatMap(targets));
  for (const target of targets([manifest.exports, manifest.types])) {
    assert.ok(app.packed.includes(target.replace("./", "")), `${target} is not in the tarball`);
  }
  assert.deepEqual(app.packed.filter((path) => /cdn|src|pack-test|\.map$|(^|\/)\./.test(path)), []);
  for (const file of ["README.md", "LICENSE"]) assert.ok(app.packed.includes(file), file);
  const license = (path: string) => readFileSync(path, "utf8");
  assert.equal(license(join(app.folder, "node_modules/hilo-tracker/LICENSE")), license(fileURLToPath(new URL("../../../LICENSE", import.meta.url))));
  assert.deepEqual(manifest.dependencies ?? {}, {}, "a page pulls in nothing else");
});

const USE = `
import { load, type ConsentState, type Hilo } from "hilo-tracker";
import { load as inline } from "hilo-tracker/inline";
import { addBanner, type Banner } from "hilo-tracker/banner";
const hilo: Hilo = await load({ key: "wk_t", capture: { forms: false }, consent: { pending: "drop" } });
hilo.track("Product Added", { price: 9.5, tags: ["a"] });
hilo.consent.grant("analytics", "advertising");
hilo.consent.on((state: ConsentState) => void state.analytics)();
const id: string | null = (await inline({ key: "wk_t" })).anonymousId();
interface Order { id: string; placed: Date; lines: { sku: string }[] }
const order: Order = { id: "7", placed: new Date(0), lines: [] };
hilo.track("Order Placed", order);
hilo.identify("u-1", { since: order.placed });
hilo.page("Thanks", { order });
hilo.cart.add({ product_id: "mug", currency: "EUR" });
hilo.cart.add({ variant: 17, currency: "EUR" }, 2);
hilo.cart.remove(hilo.cart.lines()[0]!);
const banner: Banner = addBanner(hilo, { purposes: ["analytics"], texts: { accept: "Fine" }, optIns: [{ channel: "email", text: "Yes", version: "1" }] });
banner.open();
// @ts-expect-error: there is no such purpose
addBanner(hilo, { purposes: ["marketing"] });
// @ts-expect-error: a line needs the id of its article
hilo.cart.add({ currency: "EUR" });
// @ts-expect-error: details are an object
hilo.track("Order Placed", "7");
// @ts-expect-error: there is no such kind of capture
await load({ key: "wk_t", capture: { froms: false } });
// @ts-expect-error: there is no such purpose
hilo.consent.grant("marketing");
// @ts-expect-error: a key is needed
await load({});
export { id };
`;

const TAG = `
/// <reference types="hilo-tracker/global" />
hilo.track("Signed Up");
window.hilo.consent.grant("analytics");
// @ts-expect-error: there is no such call
hilo.trak("Signed Up");
`;

for (const [module, resolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]] as const) {
  test(`the types of the package resolve by ${resolution}`, () => {
    app.write("use.ts", USE);
    app.write("tag.ts", TAG);
    const flags = ["--ignoreConfig", "--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--types", ""];
    app.run("tsc", ...flags, "--module", module, "--moduleResolution", resolution, "use.ts");
    app.run("tsc", ...flags, "--module", module, "--moduleResolution", resolution, "tag.ts");
  });
}
