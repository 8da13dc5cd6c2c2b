/**
 * An element → what is around it as the visitor sees it: through slots, open shadow roots and frames of the same origin.
 */

/** The element itself, and each element around it. Nothing for what is no element. */
export function around(target: EventTarget | undefined): Element[] {
  const found: Element[] = [];
  let node = target as Element | null | undefined;
  while (node?.matches) {
    found.push(node);
    node = read(node, "assignedSlot") ?? read(node, "parentElement") ?? above(node);
  }
  return found;
}

/** What the element itself has under this name: a form also has its fields there. */
const read = (node: Element, name: "assignedSlot" | "parentElement"): Element | null => Reflect.get(Element.prototype, name, node);

/** The element that holds the shadow root or the document in which `node` is the outermost element. */
function above(node: Element): Element | null | undefined {
  const root = node.getRootNode() as Partial<Pick<ShadowRoot, "host"> & Pick<Document, "defaultView">>;
  return root.host ?? root.defaultView?.frameElement;
}

/** The marks by which sites keep an element out of hilo and out of other tools (Sentry, PostHog, Hotjar, FullStory). */
const PRIVATE = "[data-hilo-private],[data-private],[data-sentry-mask],.ph-no-capture,.ph-sensitive,[data-hj-suppress],.fs-mask";

/** Whether the site marked the element, or one around it, as private. */
export const isPrivate = (element: Element) => around(element).some((one) => one.matches(PRIVATE));
