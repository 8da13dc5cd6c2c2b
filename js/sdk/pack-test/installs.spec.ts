/**
 * Promise: the package installs and works where people use it: bundled by vite, as a script tag's twin, on a server, and
 * under TypeScript.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const sdk = fileURLToPath(new URL("../", import.meta.url));
const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const app = mkdtempSync(join(tmpdir(), "hilo-pack-"));
after(() => rmSync(app, { recursive: true, force: true }));

// What `npm install` does with a tarball: packed for real, unpacked into node_modules.
const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", app], { cwd: sdk, encoding: "utf8" }).trim();
const home = join(app, "node_modules/hilo");
mkdirSync(home, { recursive: true });
execFileSync("tar", ["-xzf", join(app, packed), "-C", home, "--strip-components=1"]);
writeFileSync(join(app, "package.json"), '{"type":"module","private":true}');

test("the package holds what it exports and nothing of the collector's files", () => {
  const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  for (const entry of Object.values(exports).flatMap((target: any) => (typeof target === "string" ? [target] : Object.values(target)))) {
    assert.ok(readFileSync(join(home, entry as string)).length > 0, String(entry));
  }
  assert.ok(!readdirSync(join(home, "dist")).includes("cdn"));
});

test("on a server it is inert: nothing is touched, every call is there", () => {
  const program = `
    const { load } = await import("hilo");
    const hilo = await load({ key: "wk_t" });
    hilo.page(); hilo.track("x"); hilo.consent.grant("analytics"); hilo.reset();
    console.log(JSON.stringify([hilo.anonymousId(), hilo.consent.state().analytics]));`;
  for (const name of ["hilo", "hilo/inline"]) {
    writeFileSync(join(app, "server.mjs"), program.replace('"hilo"', `"${name}"`));
    assert.equal(execFileSync(process.execPath, ["server.mjs"], { cwd: app, encoding: "utf8" }).trim(), '[null,"unset"]');
  }
});

test("TypeScript finds its types and refuses wrong ones", () => {
  const check = (text: string) => {
    writeFileSync(join(app, "use.ts"), text);
    const args = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "--types", "", "use.ts"];
    execFileSync(join(modules, ".bin/tsc"), args, { cwd: app, stdio: "pipe" });
  };
  const head = 'import { load } from "hilo";\nconst hilo = await load({ key: "wk_t", capture: { forms: false } });\n';
  check(`${head}hilo.consent.grant("analytics"); hilo.track("x", { a: [1, null] }); export const id: string | null = hilo.anonymousId();`);
  assert.throws(() => check(`${head}hilo.consent.grant("marketing");`));
});

for (const name of ["hilo", "hilo/inline"]) {
  test(`vite bundles ${name}, and it runs in a browser`, async () => {
    const root = join(app, name.replace("/", "-"));
    mkdirSync(root);
    symlinkSync(join(app, "node_modules"), join(root, "node_modules"));
    writeFileSync(join(root, "index.html"), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>');
    writeFileSync(
      join(root, "main.js"),
      `import { load } from "${name}";\nload({ key: "wk_t" }).then((hilo) => { hilo.consent.grant("analytics"); window.hilo = hilo; });`,
    );
    execFileSync(process.execPath, [join(modules, "vite/bin/vite.js"), "build", "--logLevel", "error"], { cwd: root, stdio: "pipe" });
    const types: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
    const sent: string[] = [];
    const server = createServer(async (request, response) => {
      const path = request.url === "/" ? "/index.html" : request.url!;
      if (path.startsWith("/_h/")) {
        let body = "";
        for await (const chunk of request) body += chunk;
        sent.push(path + body);
        return void response.writeHead(200, { "content-type": "application/json" }).end('{"anonymousId":null,"rejected":[]}');
      }
      response.writeHead(200, { "content-type": types[extname(path)] ?? "text/plain" }).end(readFileSync(join(root, "dist", path)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => (window as any).hilo?.anonymousId());
    await page.evaluate(() => (window as any).hilo.flush());
    await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")));
    assert.ok(sent.some((one) => one.startsWith("/_h/v1/batch") && one.includes('"type":"page"')));
    assert.deepEqual(errors, []);
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
