/**
 * The consent banner: asks, and hands the answer to the tracker. In: the tracker and options. Out: a banner that can be opened again.
 *
 * The tracker stores the choices and decides when they have ended. The banner stores nothing, sends nothing and grants nothing by itself:
 * not by time, by scrolling, or by leaving. It asks while a purpose in use is unset.
 */
import type { Banner, BannerOptions, BannerTexts, ConsentState, Hilo, Purpose } from "../types.ts";
import { room } from "./style.ts";
import { type View, view } from "./view.ts";
import { words } from "./words.ts";

/** What a signal of Global Privacy Control denies. */
const OBJECTED: Purpose[] = ["advertising", "sale_share"];

/** How often the banner comes back where the site replaces its body, as Turbo does. A site that takes the banner away for good wins. */
const RETURNS_MAX = 50;

/** A screen reader needs this time to notice a status line before its text comes. */
const ANNOUNCE_MS = 150;

/**
 * Adds the banner to the page. It shows itself where the visitor has to be asked. `tracker` gives the tracker, or the stub before it. The
 * page gets no exception: in a browser without constructed style sheets nobody is asked, and so nothing is granted.
 */
export function addBanner(tracker: () => Hilo, options: BannerOptions = {}): Banner {
  try {
    return begin(tracker, options);
  } catch (error) {
    console.error("hilo cannot show its banner", error);
    return { open() {}, remove() {} };
  }
}

function begin(tracker: () => Hilo, options: BannerOptions): Banner {
  const purposes: Purpose[] = options.purposes?.length ? options.purposes : ["analytics"];
  const names = { controller: options.controller ?? location.hostname, vendors: options.vendors ?? "" };
  const { texts, lang } = words(options.lang ?? document.documentElement.lang, options.texts, names);
  const ended = new AbortController();
  const { signal } = ended;
  let endOn = () => {};
  const shown: View = view(texts, purposes, options, {
    accept: () => acts.accept(),
    reject: () => acts.reject(),
    choose: () => acts.open(),
    back: () => shown.second.close(),
    save: () => acts.save(),
  });
  const { host, first } = shown;
  const { mount, unmount } = mounting(host);
  const { makeRoom, end: endRoom } = roomBelow(first, signal);
  const acts = actsOf(tracker, purposes, texts, shown, mount, makeRoom);

  host.lang = lang;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => host.toggleAttribute("data-dark", isDark(options.theme, dark.matches));
  dark.addEventListener("change", paint, { signal });
  watchOpeners(signal, acts.open);
  paint();
  whenParsed(signal, () => {
    mount();
    tracker().ready((hilo) => {
      if (signal.aborted) return;
      endOn = hilo.consent.on(acts.update);
      acts.update(hilo.consent.state());
    });
  });

  return {
    open: acts.open,
    remove() {
      ended.abort();
      endOn();
      unmount();
      endRoom();
    },
  };
}

/** What the visitor does, and what becomes of it. */
function actsOf(tracker: () => Hilo, purposes: Purpose[], texts: BannerTexts, shown: View, mount: () => void, makeRoom: () => void) {
  const { host, first, second, status, failed } = shown;
  const { subscribed, writeLetters } = letters(tracker, shown);
  const { giveBack } = focusOf(shown);

  /** Tells the tracker. A denial comes first, so that no held event leaves under a purpose that is denied a moment later. */
  function answer(granted: Purpose[], denied: Purpose[], hasLetters = false) {
    const { consent } = tracker();
    if (denied.length) consent.deny(...denied);
    if (granted.length) consent.grant(...granted);
    hide();
    const finish = () => {
      second.close();
      giveBack();
      announce(texts.saved);
    };
    if (hasLetters) void writeLetters().then((isDone) => (isDone ? finish() : tellFailure()));
    else finish();
  }

  function tellFailure() {
    failed.textContent = texts.failed;
    failed.hidden = false;
  }

  function announce(text: string) {
    status.textContent = "";
    setTimeout(() => (status.textContent = text), ANNOUNCE_MS);
  }

  function hide() {
    first.hidden = true;
    makeRoom();
  }

  return {
    accept: () => answer(purposes.filter((purpose) => !isObjected(purpose, tracker())), []),
    reject: () => answer([], purposes),
    save() {
      const isOn = (purpose: Purpose) => shown.rows.some((row) => row.purpose === purpose && row.box.checked);
      answer(purposes.filter(isOn), purposes.filter((purpose) => !isOn(purpose)), true);
    },
    /** Opens the second layer, with the visitor's present choices. */
    open() {
      if (second.open) return;
      if (!host.isConnected) mount();
      const state = tracker().consent.state();
      for (const { purpose, box } of shown.rows) box.checked = state[purpose] === "granted";
      for (const { optIn, box } of shown.letters) box.checked = subscribed.has(optIn.channel);
      failed.hidden = true;
      // The dialog gives the focus back to the element that has it now.
      second.showModal();
      shown.heading.focus();
      second.scrollTop = 0;
    },
    /** Asks while a purpose in use is unset, and stops once it is not, as when another tab has the answer. */
    update(state: ConsentState) {
      const isAsked = purposes.some((purpose) => state[purpose] === "unset");
      if (isAsked === !first.hidden) return;
      if (!isAsked) return hide();
      first.hidden = false;
      makeRoom();
      announce(`${texts.title}. ${texts.body}`);
    },
  };
}

/** Whether the browser's own signal denies the purpose. "Accept all" leaves it denied: only a choice of exactly this purpose lifts it. */
function isObjected(purpose: Purpose, { consent }: Hilo): boolean {
  const hasSignal = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
  return hasSignal && OBJECTED.includes(purpose) && consent.state()[purpose] !== "granted";
}

/** A visitor whose focus was in the first layer goes on where the focus was before. */
function focusOf({ host, first }: View) {
  let before: Element | null = null;
  first.addEventListener("focusin", ({ relatedTarget }) => {
    if (relatedTarget instanceof Element && !first.contains(relatedTarget)) before = relatedTarget;
  });
  return {
    giveBack() {
      const isLost = !document.activeElement || document.activeElement === document.body || document.activeElement === host;
      if (isLost && before?.isConnected) (before as HTMLElement).focus();
      before = null;
    },
  };
}

/** The messages that the visitor may ask for. `subscribed` are those of this page; only the collector has the earlier ones. */
function letters(tracker: () => Hilo, shown: View) {
  const subscribed = new Set<string>();

  /** Opts in and out of the channels whose box has changed. `false`: the collector did not take them all. */
  async function writeLetters() {
    const results = shown.letters.map(async ({ optIn: { channel, text, version, address }, box }) => {
      if (box.checked === subscribed.has(channel)) return true;
      const entry = box.checked ? await tracker().optIn(channel, { text, version, ...(address && { address }) }) : await tracker().optOut(channel);
      if (!entry) return false;
      if (box.checked) subscribed.add(channel);
      else subscribed.delete(channel);
      return true;
    });
    return (await Promise.all(results)).every(Boolean);
  }

  return { subscribed, writeLetters };
}

/** Keeps the banner in the page, also where the site replaces its body. */
function mounting(host: HTMLElement) {
  let returns = 0;

  /** Puts the banner first in the body, so that it is the first stop of the Tab key. */
  function mount() {
    document.body.prepend(host);
    bodies.disconnect();
    if (returns++ > RETURNS_MAX) return;
    bodies.observe(document.documentElement, { childList: true });
    bodies.observe(document.body, { childList: true });
  }

  const bodies = new MutationObserver(() => {
    if (!host.isConnected && document.body) mount();
  });

  return { mount, unmount: () => (bodies.disconnect(), host.remove()) };
}

/** Keeps room below the page for the first layer. */
function roomBelow(first: HTMLElement, signal: AbortSignal) {
  const page = new CSSStyleSheet();
  function makeRoom() {
    const isFixed = !first.hidden && getComputedStyle(first).position === "fixed";
    page.replaceSync(room(isFixed ? innerHeight - first.getBoundingClientRect().top : 0));
  }

  const watched = new ResizeObserver(makeRoom);
  watched.observe(first);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, page];
  addEventListener("resize", makeRoom, { signal });
  function end() {
    watched.disconnect();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== page);
  }
  return { makeRoom, end };
}

/** Calls back for a click on an element with `data-hilo-consent`. */
function watchOpeners(signal: AbortSignal, open: () => void) {
  // In the capture phase, because a site may stop the event.
  document.addEventListener(
    "click",
    (event) => {
      const opener = event.composedPath().find((one) => one instanceof Element && one.hasAttribute("data-hilo-consent"));
      if (!opener) return;
      event.preventDefault();
      // Safari gives a button no focus when it is clicked.
      (opener as HTMLElement).focus();
      open();
    },
    { capture: true, signal },
  );
}

/** Whether the page is dark: by option, or by the schemes that the page itself supports. */
function isDark(theme: BannerOptions["theme"], prefersDark: boolean) {
  if (theme === "light" || theme === "dark") return theme === "dark";
  const declared = document.querySelector<HTMLMetaElement>("meta[name=color-scheme]")?.content ?? "";
  const schemes = `${getComputedStyle(document.documentElement).colorScheme} ${declared}`;
  return schemes.includes("dark") && (prefersDark || !schemes.includes("light"));
}

/** Runs `act` once the page has a body. */
function whenParsed(signal: AbortSignal, act: () => void) {
  if (document.body) act();
  else document.addEventListener("DOMContentLoaded", act, { once: true, signal });
}
