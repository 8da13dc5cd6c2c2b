/**
 * What the developer is told: codes of the first file, of the modules and of the collector → sentences in the console. The site's listeners
 * and the debugger hear the same. Loads only where there is something to tell.
 */
import { LEFT_BEHIND } from "../parts.ts";
import type { Tap } from "../voice.ts";
import { openDebugger, type Lent } from "./debugger.ts";
import { outcomesOf, type Answer, type Batch } from "./outcomes.ts";
import { sentence } from "./sentences.ts";
import { add, call, has, note } from "./taps.ts";

/** Whether the console tells what becomes of each event. */
let isLoud = false;

/** Somebody listens from now on. */
export function tap(tap: Tap) {
  const [kind, wish, lent] = tap;
  if (kind === "console") isLoud = true;
  else if (kind !== "debug") add(tap);
  else {
    // The wish of an address opens the panel only: the site's own option about the console stays.
    if (wish !== null) isLoud = wish !== false;
    void openDebugger(wish, lent as Lent);
  }
}

/** Writes the sentence of `code` and what stands behind its first blank. Sentences and errors are written as they are. */
export function say(code: unknown) {
  note("say", code);
  if (isLoud) console.warn("hilo:", sentence(code));
}

/** Writes the sentence of an error, and what browser or collector reported. What the package's entry reports is a sentence already. */
export function fail(code: string, detail: unknown = "") {
  note("fail", sentence(code), detail);
  console.error("hilo:", ...(detail instanceof Error && detail.name === LEFT_BEHIND ? [] : [sentence(code)]), detail);
}

/** An event goes into the queue as `text`, or was dropped by the site. */
export function queued(own: string, text: string) {
  note("queued", own, text);
  if (text && has("event")) tellSite("event", JSON.parse(text));
}

const tellSite = (kind: string, told: unknown) => call(kind, told).forEach(say);

/** Writes one line for each event of the batch `body`: what became of it. Status 0 stands for no answer of the collector. */
export function report(body: string, status: number, answer: unknown) {
  const batch = JSON.parse(body) as Batch;
  const outcomes = outcomesOf(batch, status, answer as Answer);
  note("report", batch, status, answer, outcomes);
  for (const outcome of outcomes) tellSite("outcome", outcome);
  if (isLoud) write(batch, status, answer as Answer);
}

function write({ batch, context }: Batch, status: number, { rejected = [], duplicate = 0, error }: Answer) {
  for (const [index, { type, event, name }] of batch.entries()) {
    const why = rejected.find((one) => one.index === index);
    let outcome = why ? `rejected, ${why.code}: ${why.message}` : "accepted";
    if (status !== 200) outcome = error ? `waits, ${error.code}: ${error.message}` : "waits: the collector did not answer";
    console.info("hilo:", [type, event ?? name].join(" ").trim() + ":", outcome);
  }
  if (duplicate) console.info("hilo:", duplicate, "of these were accepted before");
  for (const [reason, count] of Object.entries(context.hilo?.dropped ?? {})) console.info("hilo:", count, "dropped before:", reason);
}
