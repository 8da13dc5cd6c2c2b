/**
 * Google's Data Manager API and its token endpoint: gives tokens for an hour, reads events at once, and tells what it could use when it is
 * asked later. A transaction counts once for each conversion action.
 */
import { GoogleTokens } from "./grants.ts";
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { NOTHING, visitIn } from "./visit.ts";

const SCOPE = "https://www.googleapis.com/auth/datamanager";
/** How long Google takes to process a request, here. */
const PROCESSING_MS = 60_000;

interface Destination {
  reference?: string;
  productDestinationId: string;
}

interface IngestedEvent {
  transactionId?: string;
  eventTimestamp: string;
  userData?: { userIdentifiers: { emailAddress?: string }[] };
  destinationReferences?: string[];
}

interface Ingest {
  destinations: Destination[];
  events: IngestedEvent[];
  validateOnly?: boolean;
}

const failure = (code: number, status: string, message: string, details: object[] = []): StubAnswer => ({
  status: code,
  headers: { "content-type": "application/json" },
  body: { error: { code, message, status, details } },
});

const violation = (field: string, reason: string, description: string): StubAnswer =>
  failure(400, "INVALID_ARGUMENT", "There was a problem with the request.", [
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "INVALID_ARGUMENT", domain: "datamanager.googleapis.com" },
    { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field, reason, description }] },
  ]);

/** The hashed address among a person's identifiers. */
const emailOf = (userData: IngestedEvent["userData"]): string =>
  userData?.userIdentifiers.find(({ emailAddress }) => emailAddress !== undefined)?.emailAddress ?? "";

export const create: CreateStub = () => {
  const conversions = new Map<string, IngestedEvent & { action: string | undefined }>();
  const tokens = new GoogleTokens(SCOPE);
  const requests = new Map<string, number>();
  let checked = 0;

  const ingest = (body: string, now: number): StubAnswer => {
    const { destinations, events, validateOnly } = JSON.parse(body) as Ingest;
    const known = new Map(destinations.map((one) => [one.reference ?? "", one.productDestinationId]));
    for (const [at, event] of events.entries()) {
      const unknown = event.destinationReferences?.find((reference) => !known.has(reference));
      if (unknown !== undefined) return violation(`events.events[${at}].destination_references`, "INVALID_DESTINATION_REFERENCE", unknown);
      if (Date.parse(event.eventTimestamp) > now) {
        return violation(`events.events[${at}].event_timestamp`, "INVALID_EVENT_TIMESTAMP", "The event is still to come.");
      }
    }
    const id = `stub-${requests.size + 1}`;
    requests.set(id, now);
    if (validateOnly) {
      checked += events.length;
      return { status: 200, body: { requestId: id } };
    }
    for (const event of events) {
      for (const reference of event.destinationReferences ?? known.keys()) {
        const action = known.get(reference);
        const name = `${action} ${event.transactionId}`;
        if (!conversions.has(name)) conversions.set(name, { action, ...event });
      }
    }
    return { status: 200, body: { requestId: id } };
  };

  const answer = (request: StubRequest): StubAnswer => {
    const { method, url, body, now } = request;
    if (url.hostname === "oauth2.googleapis.com") return tokens.exchange(request);
    if (!tokens.isLive(request)) {
      return failure(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
    }
    if (method === "POST") return ingest(body, now);
    const began = requests.get(url.searchParams.get("requestId") ?? "");
    if (began === undefined) return failure(404, "NOT_FOUND", "No such request.");
    const requestStatus = now - began < PROCESSING_MS ? "PROCESSING" : "SUCCESS";
    return { status: 200, body: { requestStatusPerDestination: [{ requestStatus }] } };
  };

  return {
    kind: "google_ads",
    spec: "datamanager",
    hosts: /^(datamanager|oauth2)\.googleapis\.com$/,
    isMine: (request) => request.url.hostname.startsWith("datamanager.") || tokens.isFor(request) || request.body.includes("grant_type=refresh_token"),
    // The conversion actions of a lead and of an order.
    expects: { granted: ["7002", "7001"], analytics: [] },
    visit: { granted: visitIn({ "Lead Submitted": "7002", "Order Completed": "7001" }), analytics: NOTHING },
    answer,
    arrived: (): Arrival[] => [...conversions.values()].map(({ action = "", userData }) => ({ who: emailOf(userData), what: action })),
    state: () => ({ conversions: [...conversions.values()], checked }),
  };
};
