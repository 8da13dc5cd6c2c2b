/**
 * The trackers of the bench: what stands in the page of each, which files its visitor loads, and which requests carry events.
 *
 * A tracker is installed from its package and used as its guide shows. One host on another site than the page's serves all of them,
 * compressed alike, so that a figure tells of the tracker and not of a network of servers.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { usualAnswer, type Json } from "../browser/scenario.ts";
import { build } from "../packages.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = fileURLToPath(new URL("../../js/sdk/dist/", import.meta.url));

/** One tracker of the bench. */
export interface Tracker {
  name: string;
  /** What its guide puts into the page's head. `home` is the folder of its files, and where it sends. */
  head(home: string): string;
  /** A file that the page asks for, or nothing where there is none. */
  file(path: string, home: string): Buffer | undefined;
  /** The paths whose requests carry events. */
  collects: RegExp;
  /** What the tracker is told where a request is fine. */
  answer(path: string, body: Json): Json;
  /** What a visitor has stored who came before. Such a visitor's page and collector have one host. */
  stored?: { name: string; value: string }[];
}

/** Documents that a tracker asks for before it sends, by path. */
type Documents = (home: string) => Record<string, Json>;

/** A page's script, made of the package as a bundler makes it. */
async function bundled(name: string, entry: string, collects: RegExp, documents: Documents = () => ({})): Promise<Tracker> {
  const entryPoints = [join(here, `entries/${entry}.js`)];
  const { outputFiles } = await build({ entryPoints, bundle: true, minify: true, write: false, format: "iife", target: "es2022", legalComments: "none", logLevel: "error" });
  const code = Buffer.from(outputFiles![0]!.contents);
  return {
    name,
    head: (home) => `<script async src="${home}/t.js"></script>`,
    file(path, home) {
      const document = documents(home)[path];
      return path === "/t.js" ? code : document && Buffer.from(JSON.stringify(document));
    },
    collects,
    answer: (path) => documents("")[path] ?? { success: true },
  };
}

const hilo: Tracker = {
  name: "hilo",
  head(home) {
    const stub = readFileSync(join(dist, "stub.js"), "utf8").trim();
    return `<script>${stub}</script><script async src="${home}/hilo.js" data-key="wk_t"></script>
<script>hilo.consent.grant("functional", "analytics");${ACT}</script>`;
  },
  file(path) {
    const built = join(dist, "cdn", path);
    return existsSync(built) ? readFileSync(built) : undefined;
  },
  collects: /^\/v1\/batch$/,
  answer: (path, body) => usualAnswer(path.slice(4), body) ?? {},
};

/** The tracker takes the stub's place, so it is looked up at each call. */
const ACT = "act = (name, properties) => hilo.track(name, properties)";

const returning: Tracker = {
  ...hilo,
  name: "hilo, visitor comes back",
  head: (home) => hilo.head(home).replace('hilo.consent.grant("functional", "analytics");', ""),
  stored: [
    { name: "hilo.c", value: `1|6|0|${Date.now()}|6|${Date.now()}|0|0|` },
    { name: "hilo.id", value: "11111111-1111-4111-8111-111111111111" },
  ],
};

/** A page without any tracker: what the browser itself costs. */
export const EMPTY: Tracker = { name: "empty", head: () => "", file: () => undefined, collects: /^$/, answer: () => ({}) };

const segment: Documents = (home) => ({
  "/v1/projects/k/settings": { integrations: { "Segment.io": { apiKey: "k", apiHost: `${home.replace("http://", "")}/v1`, protocol: "http" } }, metrics: { sampleRate: 0 } },
});
const rudderstack: Documents = () => ({
  "/sourceConfig/": {
    source: {
      id: "s", name: "shop", writeKey: "k", workspaceId: "w", enabled: true, destinations: [], connections: [], updatedAt: "2026-11-20T00:00:00.000Z",
      config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
    },
  },
});
const posthog: Documents = () => {
  const config = { supportedCompression: ["gzip", "gzip-js"], featureFlags: {}, hasFeatureFlags: false };
  return { "/array/phc_k/config": config, "/flags/": config };
};

/** hilo and its floor; with `hasPeers`, the other trackers too, whose packages must be installed. */
export async function trackers(hasPeers: boolean): Promise<Tracker[]> {
  const floor = bundled("floor", "floor", /^\/v1\/batch$/);
  if (!hasPeers) return [await floor, hilo, returning];
  return Promise.all([
    floor,
    hilo,
    returning,
    bundled("Segment", "segment", /^\/v1\/\w$/, segment),
    bundled("Snowplow", "snowplow", /^\/com\.snowplowanalytics\.snowplow\/tp2$/),
    bundled("PostHog slim", "posthog", /^\/(e|i\/v0\/e)\/$/, posthog),
    bundled("RudderStack", "rudderstack", /^\/v1\/\w+$/, rudderstack),
    bundled("walkerOS", "walkeros", /^\/collect$/),
    bundled("Jitsu", "jitsu", /^\/api\/s\/\w+$/),
    bundled("Plausible", "plausible", /^\/api\/event$/),
  ]);
}
