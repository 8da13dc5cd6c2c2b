/**
 * Every difference between what clients send and what hilo stores, with its reason. All other fields are stored as sent.
 */
import type { Difference } from "./compare.ts";
import type { Json, Sent } from "./recorder.ts";

/** One field of one event that differs, and everything around it. */
interface Case extends Difference, Sent {
  /** The stored event. */
  whole: Json;
  /** Whether a page sent it, with a public key. */
  isPage: boolean;
}

/** A difference that is right. */
interface Expected {
  because: string;
  /** Clients that this is about, if not all. */
  of?: RegExp;
  path: RegExp;
  /** Whether the stored value is the right one. */
  is(field: Case): boolean;
}

const isGone = ({ stored }: Case) => stored === undefined;
const at = (time: unknown) => new Date(String(time)).getTime();
/** When the event happened by its sender's clock. RudderStack's clients name that time `originalTimestamp`. */
const ownTime = ({ event }: Case) => event["timestamp"] ?? event["originalTimestamp"];
const sentAt = ({ event, envelope }: Case) => envelope["sentAt"] ?? event["sentAt"];

const EXPECTED: Expected[] = [
  // What stands around an event.
  { because: "the key opens the door and is no part of the event", path: /^writeKey$/, is: isGone },
  { because: "libraries keep their own books here", path: /^(_metadata\..*|channel)$/, is: isGone },
  { because: "what the envelope says holds for each of its events", of: /crate/, path: /^context\.(app|library)\./, is: ({ path, envelope, stored }) => stored === path.split(".").reduce<any>((place, key) => place?.[key], envelope) },
  { because: "an event without an id gets one", of: /crate/, path: /^messageId$/, is: ({ stored }) => /^[0-9a-f-]{36}$/.test(String(stored)) },
  { because: "null and what is empty are no values", path: /^(userId|anonymousId|category|integrations|context\.(traits|os\.version|page\.referrer))$/, is: (field) => isGone(field) && [null, "", "{}"].includes(field.sent as string) },

  // Times.
  { because: "the edge's clock", path: /^receivedAt$/, is: ({ stored }) => Math.abs(Date.now() - at(stored)) < 60_000 },
  { because: "the envelope's time, in UTC", path: /^sentAt$/, is: (field) => at(field.stored) === at(sentAt(field)) },
  { because: "the sender's own time, in UTC, beside the corrected one", path: /^originalTimestamp$/, is: (field) => at(field.stored) === at(ownTime(field)) },
  { because: "a page's clock is corrected by the way from sentAt to receivedAt", path: /^timestamp$/, is: (field) => field.isPage && Math.abs(at(field.stored) - at(ownTime(field)) - at(field.whole["receivedAt"]) + at(sentAt(field))) <= 1 },
  { because: "a server's time stands, in UTC", path: /^timestamp$/, is: (field) => !field.isPage && at(field.stored) === at(ownTime(field)) },
  { because: "an event without a time happens when it is received", of: /crate/, path: /^timestamp$/, is: (field) => ownTime(field) === undefined && field.stored === field.whole["receivedAt"] },

  // Persons.
  { because: "a page only claims who somebody is", path: /^(userId|claimedId)$/, is: ({ isPage, event, whole }) => isPage && whole["userId"] === undefined && whole["claimedId"] === event["userId"] },
  { because: "RudderStack's client has a person's traits in the context only", of: /rudderstack\/analytics-js/, path: /^traits\./, is: ({ path, event, stored }) => event["type"] === "identify" && stored === path.split(".").reduce<any>((place, key) => place?.[key], event["context"]) },
  { because: "Jitsu's client names the person's group beside the event, and Segment's specification in the context", of: /jitsu/, path: /^(context\.)?groupId$/, is: ({ event, whole }) => whole["groupId"] === undefined && whole["context"].groupId === event["groupId"] },

  // Consent.
  { because: "hilo.toml maps the consent tool's names, and a server's legal ground counts where nothing was said", path: /^context\.consent(Management)?\./, is: ({ path, isPage, event, whole }) => path.startsWith("context.consent.basis") || same(whole["context"].consent.categoryPreferences, purposes(event, isPage)) },

  // What is reduced or redacted.
  { because: "an address loses its last byte", path: /^context\.ip$/, is: ({ stored }) => /^(127\.0\.0|203\.0\.113)\.0$/.test(String(stored)) },
  { because: "an e-mail address does not belong into a URL", path: /(^|\.)(url|tab_url|search)$/, is: ({ sent, stored }) => stored === String(sent).replaceAll("ana%40shop.example", "redacted") && stored !== sent },
  { because: "of a user agent its families are kept", path: /^context\.userAgent(Data\..*)?$/, is: isGone },
  { because: "the families of a user agent; a browser without a window is a bot", path: /^context\.(device\.type|os\.(name|version)|hilo\.(bot|browser\.(name|major)))$/, is: ({ isPage, sent, stored }) => isPage && !sent && /^(bot|true|desktop|Linux|Chrome|\d+)$/.test(String(stored)) },

  // What is added.
  { because: "the source of hilo.toml whose key the client used", path: /^source$/, is: ({ isPage, sent, stored }) => sent === undefined && stored === (isPage ? "pages" : "backend") },
  { because: "where the address of a page's visitor is, at most the city, and the time there", path: /^context\.(timezone|location\.(city|country|region))$/, is: ({ isPage, sent }) => isPage && sent === undefined },
  { because: "the facts of the touchpoint and its place under the lenses", path: /^(touchpoint|lens)\.\w+$/, is: ({ sent }) => sent === undefined },
  { because: "what brought the visit", path: /^context\.hilo\.touch\.\w+$/, is: ({ sent }) => sent === undefined },
  { because: "a server's page has its address in its properties", path: /^context\.page\.(url|path)$/, is: ({ path, isPage, event, stored }) => !isPage && stored === event["properties"][path.slice("context.page.".length)] },
  { because: "the parts of that address", of: /analytics-node/, path: /^context\.(page\.search|campaign\.name)$/, is: ({ isPage, stored }) => !isPage && ["?utm_campaign=spring", "spring"].includes(String(stored)) },

  // What has another type, or no place in the specification.
  { because: "the version of an app is text", path: /^context\.app\.(build|version)$/, is: ({ sent, stored }) => typeof sent === "number" && stored === `${sent}` },
  { because: "RudderStack's own fields", of: /rudderstack/, path: /^context\.(sessionId|sessionStart|library\.variant|page\.(initial_referrer|initial_referring_domain|referring_domain|tab_url))$/, is: isGone },
  { because: "Jitsu's own fields", of: /jitsu/, path: /^context\.(clientIds|library\.env|page\.(encoding|host|referring_domain))$/, is: isGone },
];

/** The purposes that an event's consent allows and denies, in hilo's names. */
function purposes({ context = {} }: Json, isPage: boolean): Record<string, boolean> {
  const { allowedConsentIds = [], deniedConsentIds = [] } = context.consentManagement ?? {};
  const told: [string, boolean][] = [
    ...Object.entries<boolean>(context.consent?.categoryPreferences ?? {}),
    ...allowedConsentIds.map((id: string) => [id, true]),
    ...deniedConsentIds.map((id: string) => [id, false]),
  ];
  return { ...(!isPage && { analytics: true }), ...Object.fromEntries(told.map(([name, choice]) => [name.toLowerCase(), choice])) };
}

function same(one: Record<string, boolean>, other: Record<string, boolean>): boolean {
  const sorted = (of: Record<string, boolean>) => JSON.stringify(Object.entries(of).sort());
  return sorted(one) === sorted(other);
}

const seen = new Set<Expected>();

/** The differences of one event that nothing here expects. */
export function unexpected(client: string, isPage: boolean, sent: Sent, whole: Json, found: Difference[]): Difference[] {
  return found.filter((difference) => {
    const one = { ...difference, ...sent, whole, isPage };
    const expected = EXPECTED.find(({ of, path, is }) => (of?.test(client) ?? true) && path.test(difference.path) && is(one));
    if (expected) seen.add(expected);
    return !expected;
  });
}

/** The reasons that no event of this run has needed. */
export function unneeded(): string[] {
  return EXPECTED.filter((expected) => !seen.has(expected)).map(({ because }) => because);
}
