/**
 * The sentences for the developer: codes of the first file, of the modules and of the collector → what is wrong and how to mend it.
 * Loads only where there is something to tell.
 */
import { LEFT_BEHIND } from "../parts.ts";

const MANUAL = "See README.md, \"When nothing arrives\".";

/** By code. What stands behind a code in a message is appended. */
const SENTENCES: Record<string, string> = {
  not_started: `the tracker cannot start, so nothing is captured. A content security policy needs 'wasm-unsafe-eval' in script-src, and 'self' in connect-src. ${MANUAL}`,
  no_file: "a file of hilo does not load: check that the collector serves it, and that the content security policy's script-src and connect-src allow it.",
  missing_key: 'there is no write key: set data-key="wk_…" on the script tag, or the option `key`.',
  unknown_key: "the collector does not know the write key: data-key must be a key of a source in hilo.toml. Trying again in 10 minutes.",
  key_revoked: "the write key was revoked: nothing is captured any more.",
  origin_refused: "the collector refuses this page's origin, and is asked again in 10 minutes:",
  foreign_answer: `the collector behind \`endpoint\` does not answer as one, so everything waits: check that it runs, and that the proxy passes this address on to it. ${MANUAL}`,
  unnamed_event: "track() needs the name of an event.",
  reserved_id: "this id stands for nobody in particular, so it is ignored:",
  unknown_purpose: "there is no such purpose of consent:",
  held: "waits for consent:",
  consent_denied: "dropped, because the visitor denied analytics:",
  consent_unset: "dropped, because the visitor has not answered and `pending` is \"drop\":",
  held_full: "dropped, because too many events wait for consent:",
};

/** Writes the sentence of `code` and what stands behind its first blank. Sentences and errors are written as they are. */
export const say = (code: unknown) => console.warn("hilo:", sentence(code));

/** Writes the sentence of an error, and what browser or collector reported. What the package's entry reports is a sentence already. */
export const fail = (code: string, detail: unknown = "") =>
  console.error("hilo:", ...(detail instanceof Error && detail.name === LEFT_BEHIND ? [] : [sentence(code)]), detail);

function sentence(code: unknown): unknown {
  const [first = "", ...rest] = typeof code === "string" ? code.split(" ") : [];
  const known = SENTENCES[first];
  return known ? [known, ...rest].join(" ").trim() : code;
}

/** What the collector answers to a batch or in place of one. */
interface Answer {
  duplicate?: number;
  rejected?: { index?: number; code?: string; message?: string }[];
  error?: { code?: string; message?: string };
}

/** What a batch holds of interest here. */
interface Batch {
  batch: { type: string; event?: string; name?: string }[];
  context: { hilo?: { dropped?: object } };
}

/** Writes one line for each event of the batch `body`: what became of it. Status 0 stands for no answer of the collector. */
export function report(body: string, status: number, answer: unknown) {
  const { batch, context } = JSON.parse(body) as Batch;
  const { rejected = [], duplicate = 0, error } = answer as Answer;
  for (const [index, { type, event, name }] of batch.entries()) {
    const why = rejected.find((one) => one.index === index);
    let outcome = why ? `rejected, ${why.code}: ${why.message}` : "accepted";
    if (status !== 200) outcome = error ? `waits, ${error.code}: ${error.message}` : "waits: the collector did not answer";
    console.info("hilo:", [type, event ?? name].join(" ").trim() + ":", outcome);
  }
  if (duplicate) console.info("hilo:", duplicate, "of these were accepted before");
  for (const [reason, count] of Object.entries(context.hilo?.dropped ?? {})) console.info("hilo:", count, "dropped before:", reason);
}
