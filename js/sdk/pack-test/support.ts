/**
 * The package as a stranger gets it: packed by npm, installed without a network into an app of its own.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const sdk = fileURLToPath(new URL("../", import.meta.url));
const packTest = fileURLToPath(new URL(".", import.meta.url));
/** A test reports nothing to Next's makers. */
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** What the collector answers. The tracker takes nothing else for an answer of a collector. */
const ANSWERS: Record<string, object> = {
  batch: { success: true, accepted: 1, duplicate: 0, rejected: [], anonymousId: "5f0c7a3e-0000-4000-8000-000000000000", settings: {} },
  hello: { anonymousId: null, settings: {}, session: null },
  consent: { receipt: {} },
};

/** An app with the package in its `node_modules`. */
export interface App {
  folder: string;
  /** Paths inside the tarball. */
  packed: string[];
  write(path: string, text: string): void;
  /** Runs a program of the home's or the workspace's `node_modules/.bin` in the app; throws with what it printed. */
  run(program: string, ...args: string[]): string;
  /** Starts a server like `run`, and resolves once it answers at `url`. `remove` ends it. */
  start(url: string, program: string, ...args: string[]): Promise<void>;
  remove(): void;
}

/**
 * Packs the SDK and installs the tarball. The app stands below `home`, so that it finds the bundlers and frameworks that are installed
 * there. The package itself is installed in each app.
 */
export function install(home = packTest): App {
  const apps = join(home, "build");
  mkdirSync(apps, { recursive: true });
  const folder = mkdtempSync(join(apps, "app-"));
  const npm = (cwd: string, ...args: string[]) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: "pipe" });
  const told = JSON.parse(npm(sdk, "pack", "--json", "--ignore-scripts", "--pack-destination", folder));
  // Older npm gives a list, newer npm an object by package name.
  const [tarball] = Object.values(told) as [{ filename: string; files: { path: string }[] }];
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const ends: (() => void)[] = [];
  // Without it bundlers would read the one above, which names the sources.
  write("tsconfig.json", "{}");
  write("package.json", JSON.stringify({ name: "app", private: true, type: "module" }));
  npm(folder, "install", "--offline", "--no-package-lock", "--no-audit", "--no-fund", `./${tarball.filename}`);
  const remove = () => {
    ends.splice(0).forEach((end) => end());
    rmSync(folder, { recursive: true, force: true });
  };
  // A spec that fails before its tests begin calls nothing else.
  process.once("exit", remove);
  return {
    folder,
    packed: tarball.files.map((file) => file.path).sort(),
    write,
    run(program, ...args) {
      try {
        return execFileSync(found(home, program), args, { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
      } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string };
        throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
      }
    },
    async start(url, program, ...args) {
      // A group of its own: some of these programs have children.
      const child = spawn(found(home, program), args, { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
      let told = "";
      let isOver = false;
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (told += text));
      child.on("error", (error) => (told += error)).on("close", () => (isOver = true));
      ends.push(() => isOver || process.kill(-child.pid!, "SIGKILL"));
      for (let i = 0; !isOver && i < 600; i += 1) {
        if (await fetch(url).then((answer) => answer.text(), () => false)) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`${program} does not answer at ${url}\n${told}`);
    },
    remove,
  };
}

/** A path stands as it is; a name is a program of `home`, or else of the workspace. */
const found = (home: string, program: string) => {
  const places = [home, join(sdk, "..")].map((place) => join(place, "node_modules/.bin", program));
  return program.startsWith("/") ? program : (places.find((path) => existsSync(path)) ?? program);
};

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Serves a folder on loopback, and answers the collector's calls; `asked` lists every path in order. */
export async function serve(folder: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    asked.push(pathname);
    if (pathname.startsWith("/_h/v1/")) {
      request.resume();
      return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(ANSWERS[pathname.slice(7)] ?? {}));
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
  // A failed test does not close the server, and its process ends all the same.
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}
