/**
 * The debugger: a panel with what the tracker does on this page. A file of its own, which loads where a developer asks for it.
 *
 * In: what happens in the page. Out: a panel in a closed shadow root, which works with the keyboard and without the network. It sends nothing
 * and stores one thing only: that this tab goes on with it, where the developer ticks that.
 */
import type { Page } from "../more/debugger.ts";
import { Events } from "./events.ts";
import { consentOf, filesOf, identityOf, queueOf, signalFacts } from "./page.ts";
import { panel } from "./panel.ts";
import { WORDS } from "./words.ts";

/** What happens together is shown together. */
const TOGETHER_MS = 100;
/** How often the queue is read: it changes in other tabs too. */
const LOOK_MS = 1_000;

/** Shows the panel. Returns what takes it away. */
export function open(page: Page): () => void {
  const { hilo, hand } = page;
  const lang = /^es\b/i.test(document.documentElement.lang) ? "es" : "en";
  const words = WORDS[lang];
  const events = new Events(page.sentence);
  const shown = panel(words, lang, { close: () => hilo.debug(false), isKept: page.isKept, keepOpen: page.keepOpen });
  let timer: ReturnType<typeof setTimeout> | undefined;

  function look() {
    const state = hilo.consent.state();
    const { consent, identity, queue, signals, files } = shown.facts;
    shown.fill(consent, consentOf(page, state, words));
    shown.fill(identity, identityOf(page, state, words));
    shown.fill(queue, queueOf(events, words));
    shown.fill(signals, signalFacts(page, words));
    shown.fill(files, filesOf(events, words));
    shown.show(events.rows, events.notes);
    timer = undefined;
  }
  const lookSoon = () => void (timer ??= setTimeout(look, TOGETHER_MS));

  const before = document.activeElement;
  document.documentElement.append(shown.host);
  const endConsent = hilo.consent.on(lookSoon);
  hand((what, told, at) => {
    events.hear(what, told, at);
    lookSoon();
  });
  const every = setInterval(look, LOOK_MS);
  look();
  return () => {
    hand(undefined);
    endConsent();
    clearInterval(every);
    clearTimeout(timer);
    const hadFocus = document.activeElement === shown.host;
    shown.host.remove();
    if (hadFocus && before instanceof HTMLElement && before.isConnected) before.focus();
  };
}
