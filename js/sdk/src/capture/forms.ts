/**
 * Forms: what a visitor did to a field or a form → the form as the document has it (`forms/document.ts`). Names and types of fields,
 * never a value, but for what a site asked for by marks (`forms/values.ts`).
 */
import {
  FORM_BLURRED, FORM_CHANGED, FORM_CONFIRMED, FORM_ERRORS, FORM_FOCUSED, FORM_SENT, FORM_SETTLED, FORM_STEPPED, FORM_SUBMITTED, FORM_TYPED,
} from "../codes.ts";
import type { CaptureKind, Page } from "../more/kind.ts";
import { attribute, cellsOf, documentOf, FIELDS, fieldsOf } from "./forms/document.ts";
import { CONFIRMED, ERRORS, followStep, followSubmission, SENT, SETTLED, showErrors, STEPPED } from "./forms/outcome.ts";

const STEPS: Record<string, number> = {
  focusin: FORM_FOCUSED,
  focusout: FORM_BLURRED,
  input: FORM_TYPED,
  change: FORM_CHANGED,
  submit: FORM_SUBMITTED,
  [SENT]: FORM_SENT,
  [STEPPED]: FORM_STEPPED,
  [ERRORS]: FORM_ERRORS,
  [CONFIRMED]: FORM_CONFIRMED,
  [SETTLED]: FORM_SETTLED,
  // Contact Form 7 of WordPress sends forms by script. The event's details hold values and are not read.
  wpcf7mailsent: FORM_CONFIRMED,
};

/** The shadow roots that are listened to, and the events that both the document and such a root see. */
const seen = new WeakSet<object>();
/** Fields into which the visitor types: the first key of a field tells as much as all of them. */
const typed = new WeakSet<Element>();

export const forms: CaptureKind = {
  usual: true,
  targets: "form,[name]",
  early: ["focusin", "focusout", "change", "submit"],
  late: ["input", "invalid", "click", "wpcf7mailsent"],
  read(event, from, page) {
    // An element of a frame is none of this document's classes.
    const target = from as Element | undefined;
    if (!target?.matches || seen.has(event)) return;
    seen.add(event);
    follow(target, page);
    const { type } = event;
    if (type === "click") return followStep(target, page);
    // Buttons and the like are no fields. The owner of a field may stand elsewhere in the document.
    const form = target.matches("form") ? (target as HTMLFormElement) : target.matches(FIELDS) ? (target as HTMLInputElement).form : null;
    if (!form || (form === target && /^(focus|input|change)/.test(type))) return;
    if (type === "invalid") return showErrors(form, page);
    if (type === "input" && typed.has(target)) return;
    if (type === "input") typed.add(target);
    else typed.delete(target);
    if (type === "submit" || type === SENT) lead(form, (event as SubmitEvent).submitter, page);
    if (type === "submit") followSubmission(form, event as Event, page);
    // What opens the way to the collector takes a moment, and the page may be gone right after the submission.
    if (type === "change" && target.matches("[data-hilo-optin]:checked")) page.prepareOptIn();
    const { isTrusted, left, entered } = event;
    return {
      step: STEPS[type]!,
      at: fieldsOf(form).indexOf(target as HTMLInputElement),
      // A password manager's events are its own, and its fields have no focus.
      isByHand: isTrusted || (target.getRootNode() as Document).activeElement === target,
      left,
      entered,
      form: cellsOf(form, type === ERRORS),
    };
  },
  enter({ defaultView }, page) {
    const proto = defaultView!.HTMLFormElement.prototype;
    const { submit } = proto;
    const wrapped = function (this: HTMLFormElement) {
      page.happened(SENT, this);
      submit.call(this);
    };
    proto.submit = wrapped;
    page.atEnd(() => {
      // Another script may have wrapped the method since, and still calls this function.
      if (proto.submit === wrapped) proto.submit = submit;
    });
  },
};

/** Listens inside the shadow root around `target`. A submission does not leave it, nor does the focus on its way between two fields. */
function follow(target: Element, page: Page) {
  const root = target.getRootNode();
  if ("host" in root && !seen.has(root)) {
    seen.add(root);
    for (const name of [...forms.early, "invalid"]) page.listen(root, name);
  }
}

/** Tells where a GET form leads, because the browser writes what the visitor typed into that address. */
function lead(form: HTMLFormElement, submitter: HTMLElement | null | undefined, page: Page) {
  const of = (name: string) => submitter?.getAttribute("form" + name) ?? attribute(form, name);
  if (/^(post|dialog)$/i.test(of("method"))) return;
  let url;
  try {
    const { baseURI, location } = documentOf(form);
    url = new URL(of("action") || location.href, baseURI);
  } catch {
    // The form leads nowhere. The visitor sent it all the same.
    return;
  }
  const names = new Set(fieldsOf(form).map((field) => attribute(field, "name")).filter((name) => name && !/^utm_|clid$/.test(name)));
  if (url.origin !== location.origin || !names.size) return;
  page.learnLead(url.origin + url.pathname, [...names]);
}
