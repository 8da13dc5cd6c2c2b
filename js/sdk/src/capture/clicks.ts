/**
 * Clicks on links, and on whatever the site marked `data-hilo-track` → the link as the document has it, or the site's own event.
 *
 * A click that a script makes is no visitor's. A mark goes before the link: each click is one event. Inside `data-hilo-private`
 * nothing is read.
 */
import { around } from "../more/around.ts";
import type { Act, CaptureKind } from "../more/kind.ts";

/** Characters of a link's text. */
const TEXT_MAX = 80;
/** Attributes of a marked element that are read. */
const ATTRIBUTES_MAX = 50;
/** The browser's own dialog shared something: the document has no event for it. */
const SHARED = "shared";

export const clicks: CaptureKind = {
  usual: true,
  targets: "a,area,[data-hilo-track]",
  early: ["click", "auxclick"],
  late: [],
  read(event, target, { options }) {
    const { type, isTrusted, button } = event as MouseEvent;
    if (type === SHARED) return ["Content Shared", { share_via: "system" }];
    // Beyond the middle button a click opens a menu or goes back.
    if (!isTrusted || button > 1) return;
    const path = around(target);
    if (path.some((one) => one.hasAttribute("data-hilo-private"))) return;
    const marked = path.find((one) => one.getAttribute("data-hilo-track"));
    if (marked) return told(marked, path);
    const link = path.find((one) => one.matches("a,area"));
    return link && read(link as HTMLAnchorElement, options.domains);
  },
  start(page) {
    const { share } = navigator;
    if (!share) return;
    const wrapped = (navigator.share = function (this: Navigator, ...what) {
      const shared = share.apply(this, what);
      // The visitor may think better of it.
      shared.then(() => page.happened(SHARED, document), () => {});
      return shared;
    });
    page.atEnd(() => {
      if (navigator.share === wrapped) navigator.share = share;
    });
  },
};

/** The site's own event: its name and its `data-hilo-` attributes, over the product around it. */
function told(marked: Element, path: Element[]): Act {
  const properties: Record<string, unknown> = {};
  try {
    const product = path.find((one) => one.hasAttribute("data-hilo-product"));
    Object.assign(properties, JSON.parse(product?.getAttribute("data-hilo-product") ?? "{}"));
  } catch {
    // The product is no JSON. The event counts all the same.
  }
  for (const { name, value } of [...marked.attributes].slice(0, ATTRIBUTES_MAX)) {
    const property = /^data-hilo-(?!(?:track|add|remove|product)$)(.+)/.exec(name)?.[1];
    if (property) properties[property.replace(/-/g, "_")] = value;
  }
  return [tidied(marked.getAttribute("data-hilo-track")), properties];
}

function read(link: HTMLAnchorElement, domains: unknown) {
  const { href, download, baseURI } = link;
  // The address of a link in a drawing is an object. A link without an address leads nowhere.
  const address = (href as unknown as SVGAnimatedString).baseVal ?? href;
  if (!address) return;
  const { href: url, hostname } = new URL(address, baseURI);
  return {
    url,
    host: hostname,
    page: location.hostname,
    // A star stands for hosts below, which are of the site anyway.
    domains: `${domains ?? ""}`.replaceAll("*.", "").split(/[\s,]+/),
    text: tidied(link.getAttribute("aria-label") || link.textContent),
    // A link that is marked has these, empty or not.
    file: link.hasAttribute("download") ? download : undefined,
    contact: link.getAttribute("data-hilo-contact") ?? undefined,
    frame: link.ownerDocument !== document || undefined,
  };
}

/** Text without the document's blanks. */
const tidied = (text: string | null) => (text ?? "").replace(/\s+/g, " ").trim().slice(0, TEXT_MAX);
