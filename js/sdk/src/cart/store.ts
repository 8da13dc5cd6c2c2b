/**
 * Where the cart is kept: one text under one key, or memory where the browser gives no storage.
 *
 * Tabs that take turns under a lock share localStorage. A tab without locks keeps to itself: its text lies in sessionStorage,
 * and only while the page is away, for a window opened from here would get a copy of what lies there.
 */
export const KEY = "hilo.cart";

export interface Store {
  read(): string;
  write(text: string): void;
  /** Whether what was written last outlives the page. */
  isPersistent(): boolean;
}

/** The storage of all tabs. */
export function shared(): Store {
  let memory: string | undefined;
  return {
    read: () => quietly(() => localStorage.getItem(KEY)) ?? memory ?? "",
    write(text) {
      const isKept = quietly(() => {
        if (text) localStorage.setItem(KEY, text);
        else localStorage.removeItem(KEY);
        return true;
      });
      memory = isKept ? undefined : text;
    },
    isPersistent: () => memory === undefined,
  };
}

/** The storage of this tab, filled when the page goes and emptied when it comes. */
export function alone(): Store {
  let memory = quietly(() => sessionStorage.getItem(KEY)) ?? "";
  const take = () => quietly(() => sessionStorage.removeItem(KEY));
  take();
  addEventListener("pagehide", () => quietly(() => memory && sessionStorage.setItem(KEY, memory)));
  addEventListener("pageshow", take);
  return { read: () => memory, write: (text) => void (memory = text), isPersistent: () => false };
}

/** Storage that is forbidden, callbacks of the page that fail, texts that are no JSON: none is the page's to hear of from here. */
export function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
