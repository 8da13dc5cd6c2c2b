/**
 * What happens in the page → one row for each event: held, changed, queued, sent, and what the collector made of it.
 *
 * An event has no id before it is queued, so what waits at the gate is found again by type and name, the oldest first.
 */
import type { Answer, Batch } from "../more/outcomes.ts";
import type { CapturedEvent, Fault, Outcome } from "../types.ts";

/** How far an event has come. */
export type State = "held" | "queued" | "waiting" | "accepted" | "notice" | "rejected" | "dropped";

/** A step on an event's way, and what belongs to it. */
export interface Step {
  at: number;
  step: "held" | "captured" | "changed" | "dropped" | "queued" | "sent" | "unanswered";
  more: string;
}

/** An event of this page, or one that an earlier page left. */
export interface Row {
  /** Type and name. */
  what: string;
  at: number;
  state: State;
  steps: Step[];
  faults: Fault[];
  /** The event as it is sent, and as it was before the site changed it. */
  event?: CapturedEvent;
  own?: CapturedEvent;
}

/** Rows that are kept, and notes beside them. */
const ROWS_MAX = 200;
const NOTES_MAX = 50;
/** Codes of the gate about an event, which stands behind them. */
const GATE = /^(held|consent_denied|consent_unset|held_full) ((?:page|track|identify|group)\b.*)$/s;

const nameOf = ({ type, event, name, userId, groupId }: Partial<CapturedEvent>) =>
  [type, event ?? name ?? (type === "identify" ? userId : groupId)].join(" ").trim();

/** Gathers what happens. `sentence` is the sentence of a code. */
export class Events {
  rows: Row[] = [];
  notes: string[] = [];
  /** What the page dropped before, by reason, as its envelopes told. */
  lost: Record<string, number> = {};
  /** The last answer to a batch. */
  answer: { status: number; at: number } | undefined;
  version = "";
  #ids = new Map<string, Row>();
  #sentence: (code: unknown) => unknown;

  constructor(sentence: (code: unknown) => unknown) {
    this.#sentence = sentence;
  }

  /** Takes a happening, as `more/taps.ts` tells it. */
  hear(what: string, told: any[], at: number) {
    if (what === "say") this.#said(told[0], at);
    else if (what === "fail") this.#note(told);
    else if (what === "queued") this.#queued(told[0], told[1], at);
    else if (what === "report") this.#judged(told[0], told[1], told[2], told[3], at);
  }

  #note(told: unknown[]) {
    this.notes = [told.filter(Boolean).map(String).join(" "), ...this.notes].slice(0, NOTES_MAX);
  }

  #said(code: unknown, at: number) {
    const [, reason = "", what = ""] = GATE.exec(String(code)) ?? [];
    if (!reason) return this.#note([this.#sentence(code)]);
    const name = what.trim();
    if (reason === "held") {
      this.#add({ what: name, at, state: "held", steps: [{ at, step: "held", more: "" }], faults: [] });
      return;
    }
    const row = this.#waiting(name) ?? this.#add({ what: name, at, state: "held", steps: [], faults: [] });
    this.#drop(row, reason, at);
  }

  #drop(row: Row, reason: string, at: number) {
    row.state = "dropped";
    row.steps.push({ at, step: "dropped", more: reason });
    const sentence = String(this.#sentence(reason)).replace(/:$/, "");
    row.faults = [{ code: reason, message: sentence, remedy: sentence }];
  }

  /** The oldest event of this name that waits for consent. */
  #waiting = (what: string) => this.rows.findLast((row) => row.state === "held" && row.what === what);

  #queued(own: string, text: string, at: number) {
    const before = JSON.parse(own) as CapturedEvent;
    const what = nameOf(before);
    const row = this.#waiting(what) ?? this.#add({ what, at: Date.parse(before.timestamp) || at, state: "held", steps: [], faults: [] });
    row.steps.push({ at, step: "captured", more: "" });
    row.own = before;
    if (!text) return this.#drop(row, "site_dropped", at);
    if (text === own) row.event = before;
    else {
      row.event = JSON.parse(text) as CapturedEvent;
      row.what = nameOf(row.event);
      row.steps.push({ at, step: "changed", more: "" });
    }
    row.state = "queued";
    row.steps.push({ at, step: "queued", more: "" });
    this.#ids.set(before.messageId, row);
  }

  #judged({ batch, context }: Batch, status: number, { error }: Answer, outcomes: Outcome[], at: number) {
    this.answer = { status, at };
    this.version = (context as { library?: { version?: string } }).library?.version ?? this.version;
    for (const [reason, count] of Object.entries(context.hilo?.dropped ?? {})) this.lost[reason] = (this.lost[reason] ?? 0) + count;
    for (const [index, event] of (batch as CapturedEvent[]).entries()) {
      const what = nameOf(event);
      const row = this.#ids.get(event.messageId) ?? this.#add({ what, at: Date.parse(event.timestamp) || at, state: "waiting", steps: [], faults: [], event });
      this.#ids.set(event.messageId, row);
      const outcome = outcomes[index];
      row.state = outcome?.outcome ?? "waiting";
      row.faults = outcome?.faults ?? (error?.code ? [{ code: error.code, message: error.message ?? "", remedy: String(this.#sentence(error.code)) }] : []);
      row.steps.push(status ? { at, step: "sent", more: String(status) } : { at, step: "unanswered", more: "" });
    }
  }

  #add(row: Row): Row {
    this.rows.unshift(row);
    for (const old of this.rows.splice(ROWS_MAX)) if (old.event) this.#ids.delete(old.event.messageId);
    return row;
  }
}
