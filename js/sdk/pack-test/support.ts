/**
 * The package as a stranger gets it: packed by npm, installed without a network into an app of its own.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const sdk = fileURLToPath(new URL("../", import.meta.url));
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** An app with the package in its `node_modules`. */
export interface App {
  folder: string;
  /** Paths inside the tarball. */
  packed: string[];
  write(path: string, text: string): void;
  /** Runs a program of this workspace's `node_modules/.bin` in the app; throws with what it printed. */
  run(program: string, ...args: string[]): string;
  remove(): void;
}

/** Packs the SDK and installs the tarball. */
export function install(): App {
  const folder = mkdtempSync(join(tmpdir(), "hilo-pack-"));
  const npm = (cwd: string, ...args: string[]) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: "pipe" });
  const told = JSON.parse(npm(sdk, "pack", "--json", "--ignore-scripts", "--pack-destination", folder));
  // Older npm gives a list, newer npm an object by package name.
  const [tarball] = Object.values(told) as [{ filename: string; files: { path: string }[] }];
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
  write("package.json", JSON.stringify({ name: "app", private: true, type: "module" }));
  npm(folder, "install", "--offline", "--no-audit", "--no-fund", `./${tarball.filename}`);
  return {
    folder,
    packed: tarball.files.map((file) => file.path).sort(),
    write,
    run(program, ...args) {
      const path = fileURLToPath(new URL(`../../node_modules/.bin/${program}`, import.meta.url));
      try {
        return execFileSync(path, args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
      } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string };
        throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Serves a folder on loopback, and answers the collector's calls; `asked` lists every path in order. */
export async function serve(folder: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    asked.push(pathname);
    if (pathname.startsWith("/_h/v1/")) {
      request.resume();
      return void response.writeHead(200, { "content-type": "application/json" }).end('{"anonymousId":null}');
    }
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      const bytes = readFileSync(join(folder, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
