/**
 * Promise: a server can import the package, which does nothing there.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { install } from "./support.ts";

const app = install();
after(() => app.remove());

for (const entry of ["hilo-tracker", "hilo-tracker/inline"]) {
  test(`${entry} on a server makes no global, no request and no exception`, () => {
    app.write(
      "server.js",
      `const before = Object.getOwnPropertyNames(globalThis).join();
      let requests = 0;
      globalThis.fetch = () => { requests += 1; return Promise.reject(new Error("no network here")); };
      const { load } = await import(${JSON.stringify(entry)});
      const hilo = await load({ key: "wk_t" });
      hilo.page(); hilo.track("A"); hilo.identify("u"); hilo.group("g"); hilo.use((draft) => draft);
      hilo.consent.grant("analytics"); hilo.consent.withdraw(); hilo.consent.on(() => {})();
      hilo.reset(); hilo.flush(); hilo.debug(true); hilo.destroy();
      let isReady = false;
      hilo.ready(() => (isReady = true));
      const after = Object.getOwnPropertyNames(globalThis).join();
      const { analytics } = hilo.consent.state();
      console.log(JSON.stringify({ id: hilo.anonymousId(), analytics, isReady, requests, same: before === after }));`,
    );
    // That the process ends by itself shows that no timer was left.
    const told = JSON.parse(app.run("node", "server.js"));
    assert.deepEqual(told, { id: null, analytics: "unset", isReady: true, requests: 0, same: true });
  });
}

test("hilo-tracker/banner on a server adds nothing and makes no exception", () => {
  app.write(
    "banner.js",
    `import { load } from "hilo-tracker";
    import { addBanner } from "hilo-tracker/banner";
    const before = Object.getOwnPropertyNames(globalThis).join();
    const banner = addBanner(await load({ key: "wk_t" }), { purposes: ["analytics"] });
    banner.open(); banner.remove();
    console.log(JSON.stringify(before === Object.getOwnPropertyNames(globalThis).join()));`,
  );
  assert.equal(app.run("node", "banner.js").trim(), "true");
});
