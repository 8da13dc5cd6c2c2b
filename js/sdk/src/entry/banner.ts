/** `import { addBanner } from "hilo-tracker/banner"`: the banner for a site that bundles; on a server it does nothing. */
import { addBanner as add } from "../banner/index.ts";
import type { Banner, BannerOptions, Hilo } from "../types.ts";
export type * from "../types.ts";

/** Adds the banner to the page, and `hilo.banner`. */
export function addBanner(hilo: Hilo, options: BannerOptions = {}): Banner {
  if (typeof document === "undefined") return { open() {}, remove() {} };
  return (hilo.banner = add(() => hilo, options));
}
