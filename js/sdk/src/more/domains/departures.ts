/**
 * A link to another site of the owner hands the visitor over: the link's fragment holds a token of the collector's in the moment of the
 * click. In: what a visitor does to links. Out: a call for a token when a link is likely to be followed, and `#hilo=TOKEN`.
 *
 * Nobody waits for the token: where it is not there in time, the link is followed as it is. In the next task the link is as it was,
 * so what a visitor copies never holds a token. A link that has a fragment keeps it, and hands nobody over.
 */
import type { Host } from "../host.ts";
import { call, isListed, TOKEN_MARK } from "./calls.ts";

/** A token holds for 60 seconds. The rest is for the way. */
const TOKEN_MS_MAX = 45_000;
/** The second click of a double click comes within this time, and takes the place of the first one. */
const DOUBLE_CLICK_MS = 500;
const ANSWER_MS = 10_000;
/** What tells that a link is likely to be followed. */
const SIGNS = ["mouseover", "pointerdown", "touchstart", "focusin"];

/** A token for one origin, or the wish for it. */
interface Token {
  /** Whose it is. After a logout or a withdrawal it is nobody's. */
  id: string;
  /** Empty until the collector has answered. */
  text: string;
  /** By the clock of `performance`. Nobody asks again before. */
  endsAt: number;
  isUsed: boolean;
}

export function watchDepartures(host: Host) {
  const { options, listen, anonymousId, shop } = host;
  const { domains } = options;
  if (!domains) return;
  const tokens = new Map<string, Token>();

  /** The link that an event is about, where it leads to another site of the owner's. */
  function linkOf(event: Event) {
    const link = event.composedPath().find((one) => (one as Partial<Element>).matches?.("a[href],area[href]")) as HTMLAnchorElement | undefined;
    // The address of a link in a drawing is an object. The other site takes no token without the page that it comes from.
    if (typeof link?.href !== "string" || !/^http[^#]*$/.test(link.href) || /noreferrer/.test(link.rel)) return;
    return link.hostname !== location.hostname && isListed(link.hostname, domains) ? link : undefined;
  }

  async function prepare(origin: string) {
    const id = anonymousId();
    const known = tokens.get(origin);
    if (!id || (known?.id === id && performance.now() < known.endsAt)) return;
    const token: Token = { id, text: "", endsAt: performance.now() + TOKEN_MS_MAX, isUsed: false };
    tokens.set(origin, token);
    const proof = shop.host.idProof();
    const { status, body } = await call(host, "handoff", { anonymousId: id, to: origin }, proof === "new" ? "" : proof, AbortSignal.timeout?.(ANSWER_MS));
    if (status === 200) token.text = String(body["token"] ?? "");
    // What the collector refuses now, it refuses later too.
    else if (status >= 400 && status < 429) token.endsAt = Infinity;
  }

  function depart(event: MouseEvent) {
    const link = linkOf(event);
    const token = link && tokens.get(link.origin);
    // Beyond the middle button a click opens a menu or goes back.
    if (!token?.text || event.button > 1 || token.id !== anonymousId()) return;
    if (performance.now() > token.endsAt || (token.isUsed && event.detail < 2)) return;
    const own = link!.getAttribute("href")!;
    const handing = link!.href + TOKEN_MARK + token.text;
    link!.setAttribute("href", handing);
    setTimeout(() => {
      if (link!.getAttribute("href") === handing) link!.setAttribute("href", own);
      // A click that the page has cancelled uses no token.
      if (event.defaultPrevented || token.isUsed) return;
      token.isUsed = true;
      token.endsAt = performance.now() + DOUBLE_CLICK_MS;
    });
  }

  for (const sign of SIGNS) {
    listen(document, sign, (event) => {
      const link = linkOf(event);
      if (link) void prepare(link.origin);
    });
  }
  // After the reader of clicks, whose events must not hold the token, and before listeners of the page that may stop the event.
  for (const kind of ["click", "auxclick"]) listen(document, kind, (event) => depart(event as MouseEvent));
}
