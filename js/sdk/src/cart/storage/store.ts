/**
 * The place of the cart: one text under one key, or memory where the browser gives no storage.
 *
 * Tabs that take turns under a lock share localStorage. A tab without locks has a place of its own: sessionStorage, and only while
 * the page is away, because a window opened from this page would get a copy of it.
 */
import { isShared } from "../tabs/group.ts";
import { CART } from "./keys.ts";

let memory: string | undefined;

/** The stored text; empty for none. */
export const read = () => (isShared ? quietly(() => localStorage.getItem(CART)) : undefined) ?? memory ?? "";

/** Stores a text; nothing for an empty one. */
export function write(text: string) {
  const isStored =
    isShared &&
    quietly(() => {
      if (text) localStorage.setItem(CART, text);
      else localStorage.removeItem(CART);
      return true;
    });
  memory = isStored ? undefined : text;
}

/** Whether the last text outlives the page whatever happens to it. */
export const isPersistent = () => isShared && memory === undefined;

/** Takes over what this tab stored when its page went, and stores it again when it goes. */
export function keep() {
  if (isShared) return;
  const take = () => quietly(() => sessionStorage.removeItem(CART));
  memory = quietly(() => sessionStorage.getItem(CART)) ?? "";
  take();
  addEventListener("pagehide", () => quietly(() => memory && sessionStorage.setItem(CART, memory)));
  addEventListener("pageshow", take);
}

/** Tries something that may fail without the page noticing: blocked storage, the site's callbacks, texts that are no JSON. */
export function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
