/**
 * People and their sessions for specs that send to every stub of `tests/stubs`, and what the stubs have of them.
 *
 * A person → events as the shop's own backend sends them, which vouches for the user. Sends nothing itself.
 */
import { createHash, createHmac } from "node:crypto";

import type { StubsState } from "../stubs/server.ts";
import type { Json } from "./envelopes.ts";
import { anonymousId, DEV_SECRETS } from "./mf.ts";

const PURPOSES = ["functional", "analytics", "personalization", "advertising", "sale_share"];

export interface Person {
  name: string;
  userId: string;
  anonymousId: string;
  email: string;
  consent: Json;
}

/** Somebody new who granted these purposes, or all, and denied the others. */
export function newPerson(name: string, granted: readonly string[] = PURPOSES): Person {
  const id = anonymousId();
  const preferences = Object.fromEntries(PURPOSES.map((purpose) => [purpose, granted.includes(purpose)]));
  return { name, userId: `cust_${name}_${id.slice(0, 8)}`, anonymousId: id, email: `${name}.${id.slice(0, 8)}@shop.example`, consent: { categoryPreferences: preferences, revision: 1 } };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The name of the person's object, which stands on each line of the archive. Only who has the collector's secret can make it. */
const objectName = (key: string) => createHmac("sha256", DEV_SECRETS.HILO_SECRET).update(key).digest("hex");

/** The browser's id at Google, which hilo makes of the device's: two numbers of a hash. */
function googleId(anonymousId: string): string {
  const hash = createHash("sha256").update(`ga4:${anonymousId}`).digest();
  return `${hash.readUInt32BE(0)}.${hash.readUInt32BE(4)}`;
}

/** By what a vendor may know a device. */
const namesOfDevice = (id: string) => [id, objectName(`a:${id}`), googleId(id), `hilo_anonymous_id:${id}`];

/** The ids of somebody. A visitor who allows nothing has no `anonymousId`. */
export type Ids = Pick<Person, "userId" | "email"> & { anonymousId: string | null };

/** By what a vendor may know the person. */
export const namesOf = ({ userId, anonymousId, email }: Ids): string[] =>
  [userId, email, sha256(email), sha256(userId), objectName(`u:${userId}`), ...(anonymousId ? namesOfDevice(anonymousId) : [])];

/** What a vendor has taken of a person: in its own words where the stub tells them, else method and path. */
export function takenOf({ arrived, received }: StubsState["vendors"][number], person: Ids): string[] {
  const names = namesOf(person);
  if (arrived) return arrived.filter(({ who }) => names.includes(who)).map(({ what }) => what);
  const isAbout = (text: string) => names.some((name) => text.includes(name));
  const taken = received.filter((one) => one.isCommitted && one.status < 300);
  return taken.filter(({ url, body }) => isAbout(decodeURIComponent(url) + body)).map(({ method, url }) => `${method} ${new URL(url).pathname}`);
}

/** Whether nothing of the person is on its way any more. `admin` asks the collector. */
export async function isSettled({ userId, anonymousId }: Ids, admin: (path: string) => Promise<Json>) {
  const rowsOf = async (key: string) => (await admin(`/admin/v1/profiles/${key}/deliveries`))["deliveries"] as Json[];
  const rows = [...(await rowsOf(`u:${userId}`)), ...(anonymousId ? await rowsOf(`a:${anonymousId}`) : [])];
  return rows.every(({ state }) => state !== "pending" && state !== "sending") || undefined;
}

/** An event of the person. */
export function eventOf({ userId, anonymousId, email, consent }: Person, type: string, over: Json = {}): Json {
  const page = { url: "https://shop.example/hats", path: "/hats", title: "Hats" };
  return {
    type,
    messageId: crypto.randomUUID(),
    userId,
    anonymousId,
    timestamp: new Date().toISOString(),
    context: { page, consent, traits: { email } },
    ...over,
  };
}

const product = { product_id: "H-101", sku: "H-101", name: "Wool hat", category: "Hats", variant: "blue", price: 8.9, quantity: 2 };

export const order = (person: Person, id: string): Json => {
  const properties = { order_id: id, checkout_id: `c-${id}`, value: 17.8, revenue: 17.8, total: 21.54, tax: 3.74, shipping: 0, currency: "EUR", products: [product] };
  return eventOf(person, "track", { event: "Order Completed", properties });
};

/** What a session tells, in order; `undefined` is the newsletter, which is no event of a backend. */
export function sessionOf(person: Person): (Json | undefined)[] {
  const track = (event: string, properties: Json) => eventOf(person, "track", { event, properties });
  const traits = { email: person.email, firstName: "Ana", lastName: "García", phone: "+34600111222" };
  const bought = order(person, `order-${person.userId}`);
  return [
    eventOf(person, "page", { properties: {} }),
    eventOf(person, "identify", { traits }),
    track("Product Added", { cart_id: `cart-${person.userId}`, currency: "EUR", ...product }),
    track("Lead Submitted", { form_id: "contact", form_name: "Contact", email: person.email }),
    undefined,
    bought,
    track("Order Refunded", { ...bought["properties"], total: 21.54 }),
  ];
}
