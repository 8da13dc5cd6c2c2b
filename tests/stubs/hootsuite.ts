/**
 * Hootsuite on this machine: a member with two social profiles and one of Pinterest, and messages that wait for their time.
 *
 * A message → one for each profile. Hootsuite schedules whatever it is told to, so a repeat is a second message: `state().repeats`
 * must stay empty. A page of messages has at most `limit` of them.
 */
import { Grants, goldenSecrets, tokenOf } from "./grants.ts";
import { readHootsuite } from "./reading.ts";
import type { Arrival, CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { NOTHING } from "./visit.ts";

const PROFILES: Record<string, string> = { "115185509": "FACEBOOKPAGE", "115185510": "TWITTER", "115185511": "PINTEREST" };
/** Calls in one second. */
const CALLS_MAX = 20;

interface Message {
  id: string;
  state: string;
  text: string;
  scheduledSendTime: string;
  socialProfile: { id: string };
}

const failed = (status: number, code: number, message: string): StubAnswer => ({ status, body: { errors: [{ code, message, id: "1" }] } });

const SECRETS = goldenSecrets("hootsuite");

class Hootsuite implements Stub {
  readonly kind = "hootsuite";
  readonly spec = "hootsuite";
  readonly hosts = /^platform\.hootsuite\.com$/;
  // No event of an ordinary session is to be posted.
  readonly expects = { granted: [], analytics: [] };
  readonly visit = { granted: NOTHING, analytics: NOTHING };
  readonly #grants = new Grants({
    lifeS: 3599,
    prefix: "hootsuite",
    client: { id: SECRETS["HOOTSUITE_CLIENT_ID"] ?? "", secret: SECRETS["HOOTSUITE_CLIENT_SECRET"] ?? "" },
    first: SECRETS["HOOTSUITE_REFRESH_TOKEN"] ?? "",
    rotates: true,
    more: { expires_in: 3599, scope: "offline" },
  });
  readonly #messages: Message[] = [];
  #times: number[] = [];

  answer(request: StubRequest): StubAnswer {
    const { method, url, headers, body, now } = request;
    if (url.pathname === "/oauth2/token") return this.#token(request);
    if (!this.#grants.isLive(tokenOf(headers, "Bearer"), now)) return failed(401, 1001, "Invalid token");
    this.#times = this.#times.filter((at) => now - at < 1000);
    if (this.#times.push(now) > CALLS_MAX) return failed(429, 1043, "Too many requests");
    if (!this.#looksForOwn(request)) {
      const told = readHootsuite(request);
      if (told) return told;
    }
    if (url.pathname !== "/v1/messages") return failed(404, 4001, "Not found");
    return method === "GET" ? this.#list(url.searchParams) : this.#schedule(JSON.parse(body), now);
  }

  /** A destination looks for messages around one time, a feed lists those of two weeks. */
  #looksForOwn({ url }: StubRequest): boolean {
    const [from = NaN, to = NaN] = ["startTime", "endTime"].map((name) => Date.parse(url.searchParams.get(name) ?? ""));
    return to - from < 7 * 86_400_000;
  }

  arrived(): readonly Arrival[] {
    return this.#messages.map(({ socialProfile, text }) => ({ who: socialProfile.id, what: text }));
  }

  state() {
    const messages = this.#messages;
    const isSame = (one: Message) => (other: Message) => other.socialProfile.id === one.socialProfile.id && other.text === one.text;
    const repeats = messages.filter((one, at) => messages.findIndex(isSame(one)) < at);
    return { messages, repeats, tokens: this.#grants.issued, isRevoked: this.#grants.isRevoked };
  }

  #token({ headers, body, now }: StubRequest): StubAnswer {
    const basic = Buffer.from(tokenOf(headers, "Basic") ?? "", "base64").toString();
    const [id = "", secret = ""] = basic.split(":").map(decodeURIComponent);
    return this.#grants.exchange(new URLSearchParams(body), { id, secret }, now);
  }

  #list(query: URLSearchParams): StubAnswer {
    const [from = NaN, to = NaN] = [query.get("startTime"), query.get("endTime")].map((time) => Date.parse(time ?? ""));
    const profiles = query.getAll("socialProfileIds");
    const isWanted = ({ scheduledSendTime, socialProfile }: Message) => {
      const at = Date.parse(scheduledSendTime);
      return from <= at && at < to && (profiles.length === 0 || profiles.includes(socialProfile.id));
    };
    return { status: 200, body: { data: this.#messages.filter(isWanted).slice(0, Number(query.get("limit") ?? 50)) } };
  }

  #schedule(asked: { text: string; socialProfileIds: string[]; scheduledSendTime?: string }, now: number): StubAnswer {
    const { text, socialProfileIds: ids, scheduledSendTime = "" } = asked;
    if (ids.some((id) => !PROFILES[id])) return failed(400, 40001, "The social profile does not exist");
    const hasPinterest = ids.some((id) => PROFILES[id] === "PINTEREST");
    if (hasPinterest && ids.length > 1) return failed(400, 4000, "Pinterest cannot be bundled with other networks");
    if (Date.parse(scheduledSendTime) <= now) return failed(400, 40004, "The time is in the past");
    const made = ids.map((id, at) => ({
      id: String(1000 + this.#messages.length + at),
      state: "SCHEDULED",
      text,
      scheduledSendTime,
      socialProfile: { id },
    }));
    this.#messages.push(...made);
    return { status: 200, body: { data: made } };
  }
}

export const create: CreateStub = () => new Hootsuite();
