/**
 * PostHog on this machine: it takes batches, makes persons, and deletes them.
 *
 * An event → taken once by its `uuid`, name, time and person, as its database merges repeats. Identify events join a device's person with
 * a user's. An event that says so makes no person. PostHog does not take a deleted person's id again: such an event is noted as lost.
 */
import type { Arrival, CreateStub, StubAnswer, StubRequest } from "./types.ts";
import { NAMED_ACTS, visitIn } from "./visit.ts";

/** A page cannot vouch for a user, so its identify event makes no person here. */
const VISIT = visitIn({ ...NAMED_ACTS, page: "$pageview" });

/** A project key is public, and has this form. */
const PROJECT_KEY = /^phc_\w+$/;
const PERSONAL_KEY = /^Bearer phx_\w+$/;

interface Captured {
  uuid: string;
  event: string;
  distinct_id: string;
  timestamp: string;
  properties: Record<string, any>;
}

export const create: CreateStub = () => {
  const events = new Map<string, Captured>();
  const persons = new Map<string, Record<string, unknown>>();
  /** Each id → the id of its person. */
  const owners = new Map<string, string>();
  const deleted = new Set<string>();
  const lost: string[] = [];

  const ownerOf = (id: string): string => owners.get(id) ?? id;

  function take(captured: Captured) {
    if (deleted.has(captured.distinct_id)) return void lost.push(`${captured.event} of ${captured.distinct_id}, who was deleted`);
    events.set([captured.uuid, captured.event, captured.timestamp, captured.distinct_id].join(), captured);
    const { properties } = captured;
    if (properties["$process_person_profile"] === false) return;
    const owner = ownerOf(captured.distinct_id);
    persons.set(owner, { ...persons.get(owner), ...properties["$set"] });
    const other: string | undefined = captured.event === "$identify" ? properties["$anon_distinct_id"] : captured.event === "$create_alias" ? properties["alias"] : undefined;
    if (other === undefined || ownerOf(other) === owner) return;
    persons.set(owner, { ...persons.get(ownerOf(other)), ...persons.get(owner) });
    persons.delete(ownerOf(other));
    owners.set(other, owner);
  }

  function remove({ distinct_ids, delete_events }: { distinct_ids: string[]; delete_events?: boolean }): StubAnswer {
    const gone = new Set(distinct_ids.map(ownerOf));
    const before = persons.size;
    for (const owner of gone) persons.delete(owner);
    for (const id of [...distinct_ids, ...[...owners].filter(([, owner]) => gone.has(owner)).map(([id]) => id)]) deleted.add(id);
    for (const [key, { distinct_id }] of events) if (delete_events && deleted.has(distinct_id)) events.delete(key);
    const persons_deleted = before - persons.size;
    const body = { persons_found: persons_deleted, persons_deleted, events_queued_for_deletion: Boolean(delete_events), recordings_queued_for_deletion: true, deletion_errors: [] };
    return { status: 202, body };
  }

  return {
    kind: "posthog",
    spec: "posthog",
    hosts: /^(eu|us)(\.i)?\.posthog\.com$/,
    expects: {
      granted: ["$pageview", "$identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
      analytics: ["$pageview", "$identify", "Product Added", "Lead Submitted", "Order Completed", "Order Refunded"],
    },
    visit: { granted: VISIT, analytics: VISIT },
    answer({ url, headers, body }: StubRequest): StubAnswer {
      const asked = JSON.parse(body);
      if (url.pathname !== "/batch/") {
        if (!PERSONAL_KEY.test(headers["authorization"] ?? "")) return { status: 401, body: { type: "authentication_error", code: "authentication_failed" } };
        return remove(asked);
      }
      if (!PROJECT_KEY.test(asked.api_key)) return { status: 401, body: "API key is not valid: Malformed" };
      for (const captured of asked.batch) take(captured);
      return { status: 200, body: { status: "Ok" } };
    },
    arrived: (): Arrival[] => [...events.values()].map(({ distinct_id, event }) => ({ who: distinct_id, what: event })),
    deleted: (who) => deleted.has(who),
    state: () => ({ persons: Object.fromEntries(persons), owners: Object.fromEntries(owners), events: [...events.values()], deleted: [...deleted], lost }),
  };
};
