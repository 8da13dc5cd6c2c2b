/**
 * The newsletter's form: a visitor's yes to messages by e-mail, recorded with the very text that was shown.
 *
 * It needs no consent to measuring, because the visitor asks for it. hilo keeps the answer. Only the owner of the address can confirm it.
 */
import { make } from "./dom.js";
import { t } from "./words.js";

/** Another text has another number, so that each record shows what its person agreed to. */
const TEXT_VERSION = "1";

/** What the visitor reads after the answer of the collector; without an answer nothing is recorded. */
const WORDS = { pending: t.newsletterPending, subscribed: t.newsletterDone };

export function newsletter() {
  const status = make("p", { class: "note", role: "status" });
  const input = make("input", { type: "email", id: "newsletter-email", name: "newsletter", autocomplete: "email", placeholder: t.email, required: true });
  async function subscribe(event) {
    event.preventDefault();
    const entry = await window.hilo?.optIn("email", { text: t.newsletterText, version: TEXT_VERSION, address: input.value });
    status.textContent = WORDS[entry?.state] ?? t.newsletterFailed;
  }
  return make(
    "form",
    { id: "newsletter", name: "newsletter", class: "newsletter", onsubmit: subscribe },
    make("label", { for: input.id }, make("strong", {}, t.newsletterTitle), t.newsletterText),
    make("div", {}, input, make("button", { class: "button" }, t.subscribe)),
    status,
  );
}
