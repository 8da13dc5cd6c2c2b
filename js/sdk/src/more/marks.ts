/**
 * Clicks on the cart's marks where the first file does not see them: in frames, and in open shadow roots. The cart is essential, so
 * they pass no gate.
 */
import { around } from "./around.ts";
import { isElsewhere } from "./frames.ts";
import type { Host } from "./host.ts";

/** Returns what reads the clicks of a document, where the site marks its cart. */
export function marksOf({ options, listen, shop }: Host) {
  const isMark = (one: Element) => one.matches("[data-hilo-add],[data-hilo-remove]");
  return (inside: Document) =>
    options.cart === "attributes" &&
    listen(inside, "click", (event) => {
      const path = around(event.composedPath()[0]);
      const at = path.findIndex(isMark);
      // A mark of the page's own document is read by the first file.
      if (at < 0 || isElsewhere(path[0]) || path.some((one) => isMark(one) && one.getRootNode() === document)) return;
      const product = path.slice(at).find((one) => one.hasAttribute("data-hilo-product"));
      const texts = [product?.getAttribute("data-hilo-product"), ...["add", "remove"].map((name) => path[at]!.getAttribute("data-hilo-" + name))];
      if (product) shop.tell("attributes", texts);
    });
}
