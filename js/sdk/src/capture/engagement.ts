/**
 * How long a view is seen and used → the page's state at each change, and at most once a second while the visitor is at work.
 *
 * The module adds up the times. Listeners are passive, and the page's height is read once a frame.
 */
import { around } from "../more/around.ts";
import type { CaptureKind } from "../more/kind.ts";

/** How often the visitor's work is told. */
const TELL_MS = 1_000;

/** Since the state was last told: presses of keys and pointers, and the lowest pixel that was seen. */
let acts = 0;
let seen = 0;
let height = 0;
let frame = 0;
let toldAt = -TELL_MS;

export const engagement: CaptureKind = {
  usual: false,
  targets: "",
  // The first file's own listener, which sends what waits, comes after those of the kinds.
  early: ["visibilitychange"],
  late: ["pointermove", "pointerdown", "keydown", "scroll", "playing", "pause", "ended"],
  read(event, target, { options }) {
    const { type, timeStamp, persisted } = event as PageTransitionEvent;
    if (type === "scroll") look(target);
    const isPress = /down$/.test(type);
    if (isPress) acts += 1;
    const isActive = isPress || /^(scroll|pointer)/.test(type);
    if (isActive && timeStamp < toldAt + TELL_MS) return;
    if (isActive) toldAt = timeStamp;
    const isView = /ed$/.test(type) && target === document;
    const pages = String(options.pages);
    const state = {
      url: location.href,
      isView,
      isReplaced: type === "replaced",
      isRestored: persisted === true,
      hasQuery: /query/.test(pages),
      hasHash: /hash/.test(pages),
      isActive,
      isVisible: !document.hidden && type !== "pagehide",
      isFocused: document.hasFocus(),
      isPlaying: [...document.querySelectorAll<HTMLMediaElement>("video,audio")].some(({ paused, muted, loop }) => !paused && !(muted && loop)),
      acts,
      seen,
      height,
    };
    acts = seen = 0;
    if (isView) look(document);
    return state;
  },
  start(page) {
    for (const name of ["focus", "blur", "pageshow"]) page.listen(window, name);
    // The browser paints what the visitor sees. A prerendered page was painted before.
    const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    const { activationStart = 0 } = (performance.getEntriesByType("navigation")[0] ?? {}) as { activationStart?: number };
    page.happened("started", document, document.hidden || !painted ? {} : { timeStamp: Math.max(painted, activationStart) });
  },
};

/** Reads in the next frame how far the visitor sees into the page, or into a part of it that scrolls in the page's place. */
function look(target: EventTarget | undefined) {
  const box = around(target)[0] ?? document.scrollingElement;
  if (frame || !box || box.clientHeight * 2 < innerHeight) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    seen = Math.max(seen, Math.round(box.scrollTop + box.clientHeight));
    height = box.scrollHeight;
  });
}
