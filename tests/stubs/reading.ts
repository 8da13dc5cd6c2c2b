/**
 * What the vendors on this machine tell whoever reads them: contacts, e-mail events, activities, posts and their counters.
 *
 * A request → the answer, page by page as the vendor does it; `undefined` for a request that is no reading. The data are fixed, of people
 * with the ids `reader-1`, `reader-2` … Each page has few records, so that a run has several.
 */
import type { StubAnswer, StubRequest } from "./types.ts";

/** The people whom each vendor of people tells about. */
export const READERS = 6;
/** Records of one page. */
const PAGE = 2;
const AT = Date.now() - 3_600_000;

const numbers = Array.from({ length: READERS }, (_, at) => at + 1);
const time = (number: number) => AT + number * 1_000;
const json = (body: unknown, status = 200): StubAnswer => ({ status, body });

/** A contact of HubSpot. The last one has opted out. */
function contact(number: number) {
  const at = new Date(time(number)).toISOString();
  const hs_email_optout = number === READERS ? "true" : null;
  const properties = {
    email: `reader-${number}@shop.example`, firstname: `Reader ${number}`, lastmodifieddate: at, shop_user_id: `reader-${number}`, hs_email_optout,
  };
  return { id: String(number), properties, createdAt: at, updatedAt: at, archived: false };
}

const optedOut = (number: number) => ({ value: "true", timestamp: new Date(time(number) - 1_000).toISOString(), sourceType: "EMAIL" });

/** HubSpot: a search for contacts, the history of their opt-outs, and e-mail events newest first. */
export function readHubSpot({ method, url, body }: StubRequest): StubAnswer | undefined {
  if (method === "GET" && url.pathname === "/email/public/v1/events") {
    const [from, to] = [url.searchParams.get("startTimestamp"), url.searchParams.get("endTimestamp")].map(Number);
    const start = Number(url.searchParams.get("offset") ?? 0);
    const all = numbers.toReversed().filter((number) => time(number) >= from! && time(number) <= to!);
    const events = all.slice(start, start + PAGE).map((number) => ({
      id: `email-${number}`, created: time(number), type: "DELIVERED", recipient: `reader-${number}@shop.example`, emailCampaignId: 4711,
    }));
    const hasMore = start + PAGE < all.length;
    return json({ events, hasMore, offset: hasMore ? String(start + PAGE) : null });
  }
  if (url.pathname.endsWith("/contacts/batch/read")) {
    const asked: string[] = JSON.parse(body).inputs.map(({ id }: { id: string }) => id);
    const results = asked.map((id) => ({ ...contact(Number(id)), propertiesWithHistory: { hs_email_optout: [optedOut(Number(id))] } }));
    return json({ status: "COMPLETE", results, startedAt: new Date(AT).toISOString(), completedAt: new Date(AT).toISOString() });
  }
  if (!url.pathname.endsWith("/contacts/search")) return undefined;
  const { filterGroups, after } = JSON.parse(body);
  const [{ propertyName, value, values }] = filterGroups[0].filters;
  const isWanted = (number: number) => (propertyName === "hs_object_id" ? values.includes(String(number)) : time(number) >= Number(value));
  const all = numbers.filter(isWanted);
  const start = Number(after);
  const results = all.slice(start, start + PAGE).map(contact);
  const isLast = start + PAGE >= all.length;
  return json({ total: all.length, results, ...(!isLast && { paging: { next: { after: String(start + PAGE) } } }) });
}

/** Marketo: a token for a time, activities and changes behind a token, people by their ids. */
export function readMarketo({ method, url }: StubRequest): StubAnswer | undefined {
  if (method !== "GET") return undefined;
  const ok = (more: object) => json({ requestId: "stub#r", success: true, ...more });
  switch (url.pathname) {
    case "/rest/v1/activities/pagingtoken.json": return ok({ nextPageToken: "PAGE0" });
    case "/rest/v1/activities.json": {
      const start = Number(url.searchParams.get("nextPageToken")?.replace("PAGE", ""));
      const page = numbers.slice(start, start + PAGE);
      const result = page.map((number) => ({
        id: number, marketoGUID: `guid-${number}`, leadId: number, activityDate: new Date(time(number)).toISOString(), activityTypeId: 10,
        campaignId: 22, primaryAttributeValueId: 7, primaryAttributeValue: "Autumn letter", attributes: [],
      }));
      return ok({ nextPageToken: `PAGE${start + page.length}`, moreResult: start + page.length < READERS, result });
    }
    case "/rest/v1/activities/leadchanges.json": {
      // The last one has changed a name, and wants no more.
      const field = (name: string, newValue: string) => ({ id: 48, name, newValue, oldValue: null });
      const result = numbers.slice(-1).map((number) => ({
        id: 100 + number, marketoGUID: `change-${number}`, leadId: number, activityDate: new Date(time(number)).toISOString(), activityTypeId: 13,
        fields: [field("firstName", `Lead ${number}`), field("unsubscribed", "1")], attributes: [],
      }));
      return ok({ nextPageToken: "CHANGES", moreResult: false, result: url.searchParams.get("nextPageToken") === "CHANGES" ? [] : result });
    }
    case "/rest/v1/leads.json": {
      const ids = (url.searchParams.get("filterValues") ?? "").split(",").map(Number);
      return ok({ result: ids.map((id) => ({ id, email: `reader-${id}@shop.example`, shopUserId: `reader-${id}`, firstName: `Lead ${id}`, unsubscribed: id === READERS })) });
    }
    default: return undefined;
  }
}

/** Salesforce: SOQL over contacts, ordered by their change. */
export function readSalesforce({ method, url }: StubRequest): StubAnswer | undefined {
  if (method !== "GET" || !url.pathname.endsWith("/query")) return undefined;
  const soql = url.searchParams.get("q") ?? "";
  const [, from = "", id = ""] = /SystemModstamp >=? (\S+?)(?: OR .* AND Id > '(\w+)'\))? AND/.exec(soql) ?? [];
  const idOf = (number: number) => `0035e0000000${String(number).padStart(3, "0")}AAV`;
  const isBehind = (number: number) => time(number) > Date.parse(from) || (time(number) === Date.parse(from) && (id === "" || idOf(number) > id));
  const found = soql.includes("FROM Contact") ? numbers.filter(isBehind) : [];
  const records = found.map((number) => ({
    attributes: { type: "Contact", url: `/services/data/v60.0/sobjects/Contact/${idOf(number)}` },
    Id: idOf(number), Email: `reader-${number}@shop.example`, FirstName: "Reader", LastName: String(number), Phone: null,
    HasOptedOutOfEmail: false, SystemModstamp: new Date(time(number)).toISOString().replace("Z", "+0000"), Shop_User__c: `reader-${number}`,
  }));
  return json({ totalSize: records.length, done: true, records });
}

/** Buffer: posts that were sent, and the counters of channels. */
export function readBuffer({ query, variables }: { query: string; variables: any }): StubAnswer | undefined {
  const count = (type: string, value: number) => ({ type, value, unit: "count" });
  if (query.startsWith("query Channels")) {
    const channels = Object.keys(variables).filter((name) => /^c\d+$/.test(name));
    const counted = { metrics: [count("postCount", 1), count("reactions", 7)], metricsUpdatedAt: new Date(AT).toISOString() };
    return json({ data: Object.fromEntries(channels.map((name) => [name, counted])) });
  }
  if (!query.startsWith("query Posts")) return undefined;
  const start = Number(variables.after ?? 0);
  const edges = numbers.slice(start, start + PAGE).map((number) => ({
    node: {
      id: `post-${number}`, status: "sent", sentAt: new Date(time(number)).toISOString(), dueAt: new Date(time(number)).toISOString(),
      channelId: variables.c[0], channelService: "facebook", externalLink: null, via: "buffer", tags: [],
      metrics: [count("reactions", number), count("clicks", 0)], metricsUpdatedAt: new Date(AT).toISOString(),
    },
  }));
  const hasNextPage = start + PAGE < READERS;
  return json({ data: { posts: { edges, pageInfo: { hasNextPage, endCursor: hasNextPage ? String(start + PAGE) : null } } } });
}

/** Hootsuite: messages that were sent, and the counters of posts and profiles. */
export function readHootsuite({ method, url, body }: StubRequest): StubAnswer | undefined {
  const message = (number: number) => ({
    id: String(4_000 + number), state: "SENT", text: "New in the shop", socialProfile: { id: "115185509" },
    scheduledSendTime: new Date(time(number)).toISOString(), tags: [],
  });
  if (method === "GET" && url.pathname === "/v1/messages" && !url.searchParams.has("state")) {
    const [from = NaN, to = NaN] = [url.searchParams.get("startTime"), url.searchParams.get("endTime")].map((at) => Date.parse(at ?? ""));
    const found = numbers.filter((number) => from <= time(number) && time(number) < to);
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const next = start + PAGE < found.length ? String(start + PAGE) : null;
    return json({ data: found.slice(start, start + PAGE).map(message), metadata: { cursor: { next, previous: null } } });
  }
  const [, told] = /^\/v1\/messages\/(\d+)$/.exec(url.pathname) ?? [];
  if (method === "GET" && told) {
    // One message that no list has: only a call tells of it.
    const isThere = Number(told) > 4_000 && Number(told) <= 4_000 + READERS + 1;
    return isThere ? json({ data: message(Number(told) - 4_000) }) : json({ errors: [{ code: 4001, message: "Not found", id: "1" }] }, 404);
  }
  if (method !== "POST" || !url.pathname.startsWith("/v1/analytics/")) return undefined;
  const [profileId] = JSON.parse(body).filters.profileId.in;
  const base = { profileId, externalProfileId: "177463958820" };
  const data = url.pathname.endsWith("/posts")
    ? numbers.map((number) => ({
        ...base, createdAt: new Date(time(number)).toISOString(), lastRefreshed: new Date(AT).toISOString(),
        sourceLink: `https://www.facebook.com/177463958820/posts/${number}`, externalId: String(number), metrics: { likes: number, clicks: 0 },
      }))
    : [{ ...base, date: new Date(AT).toISOString().slice(0, 10), metrics: { total_followers: { total: 1_200 } } }];
  return json({ data, metadata: { collectionInfo: {} } });
}
