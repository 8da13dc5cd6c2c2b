/**
 * Buffer on this machine: one organization with two channels, posts that wait for their time, and the limits of a free plan.
 *
 * GraphQL → the two operations that hilo sends. The judge has checked them against the schema. Buffer makes whatever it is told
 * to make, so a repeat is a second post: `state().repeats` must stay empty.
 */
import { Grants, goldenSecrets, tokenOf } from "./grants.ts";
import { readBuffer } from "./reading.ts";
import type { Arrival, CreateStub, Stub, StubAnswer, StubRequest } from "./types.ts";
import { NOTHING } from "./visit.ts";

const ORGANIZATION = "66b1f0c2a1b2c3d4e5f60700";
const CHANNELS = ["66b1f0c2a1b2c3d4e5f60718", "66b1f0c2a1b2c3d4e5f60719"];
/** Calls in a quarter of an hour, and posts that may wait in one channel. */
const CALLS_MAX = 100;
const CALLS_MS = 900_000;
const POSTS_MAX = 10;

interface Post {
  id: string;
  channelId: string;
  text: string;
  dueAt: string;
  status: string;
}

const failed = (code: string, message: string, more: object = {}) => ({ errors: [{ message, extensions: { code, ...more } }], data: null });
const payload = (__typename: string, more: object): StubAnswer => ({ status: 200, body: { data: { createPost: { __typename, ...more } } } });

const SECRETS = goldenSecrets("buffer");

class BufferApp implements Stub {
  readonly kind = "buffer";
  readonly spec = "buffer";
  readonly hosts = /^(api|auth)\.buffer\.com$/;
  // No event of an ordinary session is to be posted.
  readonly expects = { granted: [], analytics: [] };
  readonly visit = { granted: NOTHING, analytics: NOTHING };
  readonly #grants = new Grants({
    lifeS: 3600,
    prefix: "buffer",
    client: { id: SECRETS["BUFFER_CLIENT_ID"] ?? "", secret: SECRETS["BUFFER_CLIENT_SECRET"] ?? "" },
    first: SECRETS["BUFFER_REFRESH_TOKEN"] ?? "",
    rotates: true,
    more: { expires_in: 3600 },
  });
  readonly #posts: Post[] = [];
  #times: number[] = [];

  answer(request: StubRequest): StubAnswer {
    const { url, headers, body, now } = request;
    if (url.pathname === "/token") {
      const form = new URLSearchParams(body);
      return this.#grants.exchange(form, { id: form.get("client_id"), secret: form.get("client_secret") }, now);
    }
    const bearer = tokenOf(headers, "Bearer");
    const isKnown = bearer === SECRETS["BUFFER_KEY"] || this.#grants.isLive(bearer, now);
    if (!isKnown) return { status: 401, body: failed("UNAUTHENTICATED", "Not authenticated") };
    const { query, variables } = JSON.parse(body);
    return this.#limit(now) ?? readBuffer({ query, variables }) ?? (query.startsWith("mutation") ? this.#make(variables, now) : this.#look(variables));
  }

  arrived(): readonly Arrival[] {
    return this.#posts.map(({ channelId, text }) => ({ who: channelId, what: text }));
  }

  state() {
    const posts = this.#posts;
    const isSame = (post: Post) => (other: Post) => other.channelId === post.channelId && other.text === post.text;
    const repeats = posts.filter((post, at) => posts.findIndex(isSame(post)) < at);
    return { posts, repeats, tokens: this.#grants.issued, isRevoked: this.#grants.isRevoked };
  }

  /** The answer to a call beyond the limit. */
  #limit(now: number): StubAnswer | undefined {
    this.#times = this.#times.filter((at) => now - at < CALLS_MS);
    if (this.#times.length < CALLS_MAX) return void this.#times.push(now);
    const seconds = Math.ceil((this.#times[0]! + CALLS_MS - now) / 1000);
    return { status: 429, headers: { "retry-after": String(seconds) }, body: failed("RATE_LIMIT_EXCEEDED", "Rate limit exceeded", { window: "15m" }) };
  }

  #look({ o, c, from, to }: { o: string; c: string[]; from: string; to: string }): StubAnswer {
    if (o !== ORGANIZATION) return { status: 200, body: failed("NOT_FOUND", "Organization not found") };
    const isDue = ({ dueAt }: Post) => Date.parse(from) <= Date.parse(dueAt) && Date.parse(dueAt) <= Date.parse(to);
    const found = this.#posts.filter((post) => c.includes(post.channelId) && isDue(post));
    const edges = found.slice(0, 50).map((node) => ({ node: { text: node.text } }));
    return { status: 200, body: { data: { posts: { edges: edges.length > 0 ? edges : null, pageInfo: { hasNextPage: found.length > 50 } } } } };
  }

  #make({ i }: { i: any }, now: number): StubAnswer {
    if (!CHANNELS.includes(i.channelId)) return payload("NotFoundError", { message: "Channel not found" });
    if (i.mode === "customScheduled" && !(Date.parse(i.dueAt) > now)) return payload("InvalidInputError", { message: "dueAt must be in the future" });
    const waiting = this.#posts.filter((post) => post.channelId === i.channelId && Date.parse(post.dueAt) > now);
    if (waiting.length >= POSTS_MAX) return payload("LimitReachedError", { message: "Scheduled posts limit reached" });
    const id = `post-${this.#posts.length + 1}`;
    const post = { id, channelId: i.channelId, text: i.text.trim(), dueAt: i.dueAt, status: i.saveToDraft ? "draft" : "scheduled" };
    this.#posts.push(post);
    return payload("PostActionSuccess", { post: { id, status: post.status, dueAt: post.dueAt } });
  }
}

export const create: CreateStub = () => new BufferApp();
