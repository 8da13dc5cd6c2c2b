/**
 * The sentences of codes: what is wrong and how to mend it.
 */
const MANUAL = "See README.md, \"When nothing arrives\".";

/** By code. What stands behind a code in a message is appended. */
const SENTENCES: Record<string, string> = {
  not_started: `the tracker cannot start, so nothing is captured. A content security policy needs 'self' in script-src and connect-src. ${MANUAL}`,
  plain: "the page may not run WebAssembly, so the same tracker runs as JavaScript: slower, and three times as large. A content security policy allows it by 'wasm-unsafe-eval' in script-src.",
  no_file: "a file of hilo does not load: check that the collector serves it, and that the content security policy's script-src and connect-src allow it.",
  missing_key: 'there is no write key: set data-key="wk_…" on the script tag, or the option `key`.',
  unknown_key: "the collector does not know the write key: data-key must be a key of a source in hilo.toml. Trying again in 10 minutes.",
  key_revoked: "the write key was revoked: nothing is captured any more.",
  origin_refused: "the collector refuses this page's origin, and is asked again in 10 minutes:",
  foreign_answer: `the collector behind \`endpoint\` does not answer as one, so everything waits: check that it runs, and that the proxy passes this address on to it. ${MANUAL}`,
  unnamed_event: "track() needs the name of an event.",
  reserved_id: "this id stands for nobody in particular, so it is ignored:",
  unknown_source: "there is no such consent source:",
  missing_source: "events wait for a consent tool that is not on the page:",
  unknown_category: "the consent tool has a category without a purpose, so it grants nothing; name its purposes in the option `consent.categories`:",
  unknown_purpose: "there is no such purpose of consent:",
  site_dropped: "dropped by the site's own code in hilo.use().",
  not_changed: "a function of hilo.use() failed, so the event goes out as it was before it:",
  debug_refused: "the source of this key does not let an address open the debugger: set debug = true on it in hilo.toml, or call hilo.debug(true).",
  foreign_token: "the address has a token of a visitor, and the page before is of no site that capture.domains (data-domains) lists, so it is dropped.",
  token_refused: "the collector did not hand over the visitor of another site, who goes on with an id of this one:",
  held: "waits for consent:",
  consent_denied: "dropped, because the visitor denied analytics:",
  consent_unset: "dropped, because the visitor has not answered and `pending` is \"drop\":",
  held_full: "dropped, because too many events wait for consent:",
};

/** The sentence of a code, and what stands behind its first blank. */
export function sentence(code: unknown): unknown {
  const [first = "", ...rest] = typeof code === "string" ? code.split(" ") : [];
  const known = SENTENCES[first];
  return known ? [known, ...rest].join(" ").trim() : code;
}
