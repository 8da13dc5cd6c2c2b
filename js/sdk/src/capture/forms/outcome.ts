/**
 * What becomes of a form in the page: a submission that arrived or whose page shows errors, and a step that follows another one. Looks
 * at the document and tells the kind; keeps nothing.
 */
import type { Page } from "../../more/kind.ts";
import { attribute, documentOf, fieldsOf, isMarked } from "./document.ts";

/** What happens without an event of the document. */
export const [SENT, STEPPED, ERRORS, CONFIRMED, SETTLED] = ["sent", "stepped", "errors", "confirmed", "settled"] as const;

/** How often the page is looked at after a submission, how long for errors, and how long for a sign that it arrived. */
const LOOK_MS = 250;
const ERRORS_MS = 2_000;
const ARRIVAL_MS = 10_000;
/** How long a page takes to show another step after a click. */
const STEP_MS = 300;
/** Where a page tells errors of a form that it sends by script. What is merely polite also tells success. */
const ALERTS = "[role=alert],[aria-live=assertive]";

const judged = new WeakSet<Element>();

/** Fields are invalid: one report for all of a task. */
export function showErrors(form: Element, page: Page) {
  if (judged.has(form)) return;
  judged.add(form);
  setTimeout(() => {
    judged.delete(form);
    page.happened(ERRORS, form);
  });
}

/** Follows a submission. A browser that the page does not stop takes the form elsewhere. */
export function followSubmission(form: Element, event: Event, page: Page) {
  const url = location.href;
  // A frame's events have a clock of their own, and are read at once.
  const sent = documentOf(form) === document ? event.timeStamp : performance.now();
  const at = Math.round(Date.now() - performance.now() + sent);
  const where = placeOf(form);
  const before = alertsIn(form);
  const look = () => {
    const passed = performance.now() - sent;
    if (!event.defaultPrevented || !form.isConnected || placeOf(form) !== where) return page.happened(CONFIRMED, form, { at, url });
    if (passed < ERRORS_MS && (fieldsOf(form).some(isMarked) || alertsIn(form).replace(before, ""))) return page.happened(ERRORS, form);
    if (passed > ARRIVAL_MS) return page.happened(SETTLED, form, { at, url });
    setTimeout(look, LOOK_MS);
  };
  // The page's own listeners come first.
  setTimeout(look);
}

/** The address of the form's document; nothing once its frame shows another one. */
const placeOf = (form: Element) => documentOf(form).defaultView?.location.href;

const alertsIn = (form: Element) => [...form.querySelectorAll(ALERTS)].map((one) => one.textContent?.trim() ?? "").join("");

/** A click on a button that sends nothing may lead to another step. */
export function followStep(target: Element, page: Page) {
  const button = target.closest<HTMLButtonElement>("button,input,[role=button],a");
  const form = button?.form ?? button?.closest("form");
  const left = form && button?.type !== "submit" && stepOf(form);
  if (!left) return;
  setTimeout(() => {
    const entered = stepOf(form);
    if (entered && entered !== left) page.happened(STEPPED, form, { left, entered });
  }, STEP_MS);
}

/** The step that the form shows: the site's name for it, or else its number. */
function stepOf(form: Element): string {
  const steps = [...form.querySelectorAll("[data-hilo-step],fieldset")];
  const at = steps.findIndex((one) => one.getClientRects().length);
  return steps[at] ? attribute(steps[at], "data-hilo-step") || `${at + 1}` : "";
}
