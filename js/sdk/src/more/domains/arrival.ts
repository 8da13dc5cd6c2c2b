/**
 * A visitor whom another site of the owner hands over: the token of the address → the id that the visitor has there.
 *
 * In: the token, the visitor's choices, what the consent tools tell. Out: the id, stored before the page's first event. Where consent was
 * given earlier, the first view waits for the collector's answer, in the first module and no longer than there. A visitor who has
 * still to answer finds the gate closed: a grant waits for the collector's answer as it waits for a consent tool, and a denial
 * counts at once. The page goes on with its own id where there is no answer, or a refusal.
 */
import { CHOICES_AWAITED, HAPPENED_READY, HAPPENED_STORED_ELSEWHERE } from "../../codes.ts";
import { whenReady } from "../../ready.ts";
import type { Purpose } from "../../types.ts";
import type { Host } from "../host.ts";
import { call, isListed, TOKEN_MARK } from "./calls.ts";

/** How long the page's events wait for the collector's answer. */
const ANSWER_MS = 3_000;
/** How long a token holds, by the collector. */
const TOKEN_MS = 60_000;
/** The order of their bits in a report, from the second on. All but the last allow an id. */
const PURPOSES: Purpose[] = ["functional", "analytics", "personalization", "advertising", "sale_share"];

type Report = Parameters<Host["hear"]>;
/** Null where the gate alone decides. */
type Answers = Partial<Record<Purpose, boolean | null>>;

/** What the second file does with the page meanwhile. */
export interface Arrival {
  /** Hears the consent tools. */
  hear: Host["hear"];
  /** The page is left. */
  leave(): void;
}

/**
 * What the visitor has answered, by purpose: what counts in the page, and what will count once the gate takes it. `granted` are the purposes
 * that the site's own calls granted meanwhile, `report` is what the tools tell.
 */
function answered({ consent, queue: [, keys] }: Host, granted: Set<string>, report: number): Answers {
  const answers: Answers = {};
  const state = consent.state();
  PURPOSES.forEach((purpose, i) => {
    const [says, denies] = [(report >> (i + 1)) & 1, (report >> (i + 9)) & 1];
    // A tool that only repeats what it told before a denial grants nothing. Only the gate knows that, so what is stored must say the same.
    const isNew = () => !keys("hilo.c").split("\n").includes("hilo.c") || (Number(localStorage["hilo.c"].split("|")[1]) >> (i + 1)) & 1;
    if (state[purpose] !== "unset") answers[purpose] = state[purpose] === "granted";
    else if (denies && !says) answers[purpose] = false;
    else if (granted.has(purpose)) answers[purpose] = true;
    else if (says && !denies) answers[purpose] = isNew() ? true : null;
  });
  return answers;
}

const allowsId = (answers: Answers) => PURPOSES.slice(0, -1).some((purpose) => answers[purpose]);

/** Stores the visitor whom the collector answered, and the proof. Where the storage is blocked, the cookie alone tells whose the page is. */
function take({ shop, guarded }: Host, { anonymousId, token = "" }: Record<string, unknown>) {
  shop.host.idProof(String(token));
  guarded(() => {
    localStorage["hilo.id"] = anonymousId;
    if (token) localStorage["hilo.p"] = token;
    else localStorage.removeItem("hilo.p");
  });
}

/** Tells that the first view need not wait any more, once its document is ready; by `isTaken` another visitor is stored. */
const settling =
  ({ guarded, listen, queue: [, , , happen] }: Host) =>
  (isTaken = false) => {
    whenReady(listen, () => guarded(() => (happen(HAPPENED_READY), isTaken && happen(HAPPENED_STORED_ELSEWHERE))));
  };

/** Takes the visitor over. */
export function watchArrival(host: Host): Arrival {
  const { options, guarded, hear, say } = host;
  const usual = { hear, leave() {} };
  if (!options.domains) return usual;
  const settle = settling(host);
  const [page, token] = location.href.split(TOKEN_MARK);
  if (!token) return settle(), usual;
  guarded(() => history.replaceState(history.state, "", page));
  const isOurs = isListed(document.referrer && new URL(document.referrer).hostname, options.domains);
  if (!isOurs) say("foreign_token");
  const now = answered(host, new Set(), 0);
  const isAnswered = allowsId(now);
  // Without a view that waits, events have left with the page's own id. A visitor who has denied goes on as nobody.
  const isLate = isAnswered ? /^(off|false)$/.test(String(options.pages)) : now.analytics === false;
  if (!isOurs || isLate) return settle(), usual;
  if (!isAnswered) return settle(), closed(host, token, settle);
  const { look, end } = adoption(host, token, () => answered(host, new Set(), 0), settle);
  look();
  return { hear, leave: end };
}

/** A visitor who has still to answer: grants and reports wait at the closed gate until the collector has answered. */
function closed(host: Host, token: string, settle: (isTaken: boolean) => void): Arrival {
  const { consent, hear } = host;
  const { grant } = consent;
  const granted = new Set<string>();
  let report: Report | undefined;
  let isOver = false;
  const answers = () => {
    const state = consent.state();
    for (const purpose of granted) if (state[purpose as Purpose] === "denied") granted.delete(purpose);
    return answered(host, granted, report?.[0] ?? 0);
  };
  const { lookSoon, end } = adoption(host, token, answers, (isTaken) => {
    isOver = true;
    consent.grant = grant;
    hear(...(report ?? ([0, "", ""] as const)));
    settle(isTaken);
  });
  hear(CHOICES_AWAITED, "", "");
  consent.grant = (...purposes) => {
    grant(...purposes);
    for (const purpose of purposes.flat().join(" ").split(" ")) granted.add(purpose);
    lookSoon();
  };
  return {
    hear(...told) {
      if (isOver) return hear(...told);
      report = told;
      lookSoon();
    },
    leave: end,
  };
}

/**
 * Asks the collector for the token's visitor once `answers` allow an id. It ends with the answer, with a denial, when the token holds no
 * longer, and when the page is left: then it calls `ended`, with whether the visitor is stored.
 */
function adoption(host: Host, token: string, answers: () => Answers, ended: (isTaken: boolean) => void) {
  const { consent, shop, guarded, atEnd, say } = host;
  const over = new AbortController();
  let asked: Promise<void> | undefined;
  function end(isTaken = false) {
    if (over.signal.aborted) return;
    over.abort();
    clearTimeout(timer);
    stop();
    ended(isTaken);
  }
  async function adopt() {
    const isForeign = new URL(shop.host.endpoint, location.href).origin !== location.origin;
    const late = setTimeout(() => guarded(end), ANSWER_MS);
    const known = Object.entries(answers()).filter(([, answer]) => answer !== null);
    const said = { categoryPreferences: Object.fromEntries(known), revision: consent.state().revision };
    const { status, body } = await call(host, "adopt", { token, consent: said }, isForeign || shop.host.idProof() ? "new" : "", over.signal);
    clearTimeout(late);
    if (over.signal.aborted) return;
    const isTaken = status === 200 && !!body["anonymousId"];
    if (isTaken) take(host, body);
    else say(`token_refused ${(body["error"] as { code?: string })?.code ?? status}`);
    end(isTaken);
  }
  function look() {
    if (over.signal.aborted) return;
    const now = answers();
    if (allowsId(now)) asked ??= adopt();
    else if (asked || now.analytics !== undefined) end();
  }
  /** Once the page's task is over: a denial and a grant of one answer belong together. */
  const lookSoon = () => void Promise.resolve().then(() => guarded(look));
  const timer = setTimeout(() => guarded(end), TOKEN_MS);
  const stop = consent.on(lookSoon);
  atEnd(() => end());
  return { look, lookSoon, end: () => end() };
}
