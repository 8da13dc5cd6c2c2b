/**
 * A batch and the collector's answer → what the collector made of each event, with what to do about it.
 */
import type { Fault, Outcome } from "../types.ts";

/** A reason as the collector answers it. */
interface Reason {
  index?: number;
  code?: string;
  field?: string;
  message?: string;
}

/** What the collector answers to a batch or in place of one. */
export interface Answer {
  duplicate?: number;
  rejected?: Reason[];
  notices?: Reason[];
  error?: Reason;
}

/** What a batch holds of interest here. */
export interface Batch {
  batch: { messageId: string; type: string; event?: string; name?: string }[];
  context: { hilo?: { dropped?: Record<string, number> } };
}

/** The statuses of a batch that no attempt makes readable. Only an event that was sent alone is refused by them (protocol.md). */
const UNUSABLE = [400, 413, 415, 422];

/** What to do, by code. */
const REMEDIES: Record<string, string> = {
  wrong_type: "send the field as the type that the message names.",
  missing_field: "send the field that the message names; track() needs a name.",
  missing_id: "grant `functional` or `analytics` before: an event without an id belongs to nobody.",
  reserved_id: "send the id of your own database, not a word such as `guest` or `null`.",
  event_too_large: "send fewer or shorter properties: an event may have 32 KB.",
  too_deep: "flatten the properties.",
  too_many_keys: "send fewer keys in one object: a list of objects instead of numbered keys.",
  key_too_long: "shorten the names of the properties.",
  no_consent: "call hilo.consent.grant() once the visitor agrees, or name a consent tool.",
  consent_denied: "nothing to mend: the visitor denied a purpose that the event needs.",
  gpc_denied: "nothing to mend: the browser sends Global Privacy Control, and the visitor has not chosen otherwise.",
  unknown_category: "map your tool's categories to purposes in [consent.categories] of hilo.toml.",
  erased: "nothing to mend: this person had everything erased.",
  unknown_field: "put your own fields into `properties` or `traits`.",
  not_kept: "leave the field out: it is personal, and the source does not ask for it.",
  truncated: "shorten the text: the rest of it was cut off.",
  not_a_number: "send a finite number.",
  bad_timestamp: "send the time as ISO 8601.",
  duplicate_id: "nothing to mend, unless your own code sets message ids.",
  unknown_key: "set data-key to a key of a source in hilo.toml.",
  origin_refused: "list this page's origin in `origins` of the source in hilo.toml.",
};

/** A reason with its remedy. A code without one has a message that says everything. */
function fault({ code = "", field, message = "" }: Reason): Fault {
  return { code, ...(field && { field }), message, remedy: REMEDIES[code] ?? message };
}

/** What became of each event of `batch`. Nothing where the collector did not judge them: they wait, and are sent again. */
export function outcomesOf({ batch }: Batch, status: number, { rejected = [], notices = [], error }: Answer): Outcome[] {
  if (status !== 200 && !(error && batch.length === 1 && UNUSABLE.includes(status))) return [];
  return batch.map(({ messageId }, index) => {
    const own = (reasons: Reason[]) => reasons.filter((one) => one.index === index).map(fault);
    const refusals = status === 200 ? own(rejected) : [fault(error!)];
    const faults = refusals.length ? refusals : own(notices);
    return { messageId, outcome: refusals.length ? "rejected" : faults.length ? "notice" : "accepted", faults };
  });
}
