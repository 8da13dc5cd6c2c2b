/**
 * What loads the shop's file where the site wants to know what its shop tells. What the page pushed stands in the page until then.
 */
import type { Part } from "../parts.ts";
import type { Host, LatePart, ShopFile } from "./host.ts";

/** How long the next attempt waits where the file did not load. Each attempt of a page that blocks the file is reported to the site. */
const RETRY_MS = 2_000;
/** No event of the page asks for the file again. */
const RETRIES_MAX = 5;

/** Loads the file, and lets it read until the tracker stops. Returns what is to be done when the page is left. */
export function watchShop(host: Host): () => void {
  const { reader, guarded, atEnd, shop } = host;
  let leave: (() => void) | undefined;
  let isOver = false;
  atEnd(() => (isOver = true));

  async function load(part: LatePart, retries: number) {
    const { file, module }: Part<ShopFile> = part(HILO_SHOP_FILE);
    try {
      const [{ open }, source] = await Promise.all([file(), module()]);
      // The tracker ended while the file was on its way: nothing would take the wrappers off the page again.
      if (!isOver) leave = await open(source, host);
    } catch (error) {
      shop.host.fail("no_file", error);
      if (retries) setTimeout(() => guarded(() => void load(part, retries - 1)), RETRY_MS);
    }
  }

  if (reader) void load(reader, RETRIES_MAX);
  return () => leave?.();
}
