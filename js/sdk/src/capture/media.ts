/**
 * Videos and sounds of the page's own players → the state of the player at each event.
 *
 * Media events neither bubble nor leave a shadow root, so open roots are listened to as they are found: at the start, at each new
 * view, and where the visitor presses. A muted loop without controls is a moving picture, and no video that somebody watches.
 */
import {
  MEDIA_ENDED, MEDIA_FAILED, MEDIA_GONE, MEDIA_PAUSED, MEDIA_PLAYING, MEDIA_SEEKING, MEDIA_SOUGHT, MEDIA_TIME, MEDIA_WAITING,
} from "../codes.ts";
import { around, isPrivate } from "../more/around.ts";
import type { CaptureKind, Page } from "../more/kind.ts";

/** Players that are followed on one page. */
const PLAYERS_MAX = 20;
/** How often the time of a player is read. */
const TIME_MS = 1_000;
/** A shorter wait is none that anybody notices. */
const WAIT_MS = 1_000;
/** How long a single-page app gets to take the players of the last view away. */
const REMOVAL_MS = 1_000;

/** What is told, by the event or by what follows from it: a player pauses before its end and before a jump too. */
const STEPS: Record<string, number> = {
  playing: MEDIA_PLAYING,
  paused: MEDIA_PAUSED,
  starved: MEDIA_WAITING,
  seeking: MEDIA_SEEKING,
  seeked: MEDIA_SOUGHT,
  timeupdate: MEDIA_TIME,
  ended: MEDIA_ENDED,
  emptied: MEDIA_GONE,
  error: MEDIA_FAILED,
};
const EVENTS = [...Object.keys(STEPS), "pause", "waiting"];

const players: HTMLMediaElement[] = [];
/** When the time of each player is due to be read, and how many playbacks have ended. */
const due: number[] = [];
const ended: number[] = [];
const roots = new WeakSet<object>();
/** Tells the playbacks of this page from those of others. */
const prefix = Math.random().toString(36).slice(2);

export const media: CaptureKind = {
  usual: true,
  early: [],
  late: [...EVENTS, "pointerdown", "keydown"],
  read({ type }, target, page) {
    const player = target as HTMLMediaElement;
    const [element] = around(player);
    if (!element) {
      if (type !== "navigated") return;
      follow(document, page);
      return void setTimeout(() => players.forEach((one) => one.isConnected || page.happened("emptied", one)), REMOVAL_MS);
    }
    if (/down$/.test(type)) return dive(element.getRootNode(), page);
    if (!/^(VIDEO|AUDIO)$/.test(element.tagName) || isPrivate(player)) return;
    if (player.muted && player.loop && !player.controls) return;
    if (type === "pause") return void setTimeout(() => player.paused && !player.ended && !player.seeking && page.happened("paused", player));
    if (type === "waiting") return void setTimeout(() => player.readyState < 3 && !player.paused && page.happened("starved", player), WAIT_MS);
    return state(player, type);
  },
  enter: follow,
};

function state(player: HTMLMediaElement, type: string) {
  let id = players.indexOf(player);
  if (id < 0) {
    if (players.length >= PLAYERS_MAX) return;
    id = players.push(player) - 1;
  }
  const { duration, currentSrc, played } = player;
  if (type === "timeupdate") {
    const now = performance.now();
    if (now < (due[id] ?? 0)) return;
    due[id] = now + TIME_MS;
  }
  let seconds = 0;
  for (let i = 0; i < played.length; i += 1) seconds += played.end(i) - played.start(i);
  const session = ended[id] ?? 0;
  if (/^e/.test(type)) ended[id] = session + 1;
  return {
    id,
    step: STEPS[type],
    played: Math.round(seconds),
    session_id: [prefix, id, session].join("-"),
    asset_id: player.getAttribute("data-hilo-media") ?? (/^http/.test(currentSrc) ? new URL(currentSrc).pathname : ""),
    title: player.title || player.getAttribute("aria-label") || "",
    position: Math.floor(player.currentTime),
    // A live stream has no length, and neither has a player that knows nothing yet.
    total_length: Number.isFinite(duration) ? Math.round(duration) : null,
    sound: player.muted ? 0 : Math.round(player.volume * 100),
    video_player: player.tagName === "AUDIO" ? "html5 audio" : "html5",
    full_screen: around(player).includes(document.fullscreenElement!),
    livestream: duration === Infinity,
    autoplay: player.autoplay || undefined,
    frame: player.ownerDocument !== document || undefined,
  };
}

/** Finds the players that play already, and the open shadow roots. */
function follow(scope: Document | ShadowRoot, page: Page) {
  for (const element of scope.querySelectorAll("*")) {
    if ((element as HTMLMediaElement).paused === false) page.happened("playing", element);
    if (element.shadowRoot) dive(element.shadowRoot, page);
  }
}

/** Listens inside a shadow root, once. */
function dive(root: Node, page: Page) {
  if (!("host" in root) || roots.has(root)) return;
  roots.add(root);
  for (const name of EVENTS) page.listen(root, name);
  follow(root as ShadowRoot, page);
}
