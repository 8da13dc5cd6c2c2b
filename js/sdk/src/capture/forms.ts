/**
 * Forms: what a visitor did to a field or a form → the form as the document has it. Names and types of fields, never a value.
 */
import { FORM_BLURRED, FORM_FOCUSED, FORM_SENT, FORM_SUBMITTED } from "../codes.ts";
import type { CaptureKind, Page } from "../more/kind.ts";

/** Fields of one form that are looked at. */
const FIELDS_MAX = 100;
const FIELDS = "input,select,textarea";
/** The script of a page sent a form: the document has no event for it. */
const SENT = "sent";
const STEPS: Record<string, number> = { focusin: FORM_FOCUSED, focusout: FORM_BLURRED, submit: FORM_SUBMITTED, [SENT]: FORM_SENT };

/** The shadow roots that are listened to, and the events that both the document and such a root see. */
const seen = new WeakSet<object>();

export const forms: CaptureKind = {
  early: ["focusin", "focusout", "submit"],
  late: [],
  read(event, target, page) {
    if (!(target instanceof Element) || seen.has(event)) return;
    seen.add(event);
    follow(target, page);
    const step = STEPS[event.type]!;
    if (step === FORM_SUBMITTED || step === FORM_SENT) {
      if (!(target instanceof HTMLFormElement)) return;
      const { submitter } = event as SubmitEvent;
      lead(target, submitter, page);
      return { step, form: read(target), field: "" };
    }
    // Buttons and the like are no fields. The owner of a field may stand elsewhere in the document.
    const { form } = target as HTMLInputElement;
    if (form && target.matches(FIELDS)) return { step, form: read(form), field: nameOf(target) };
  },
  start(page) {
    const proto = HTMLFormElement.prototype;
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
  if (root instanceof ShadowRoot && !seen.has(root)) {
    seen.add(root);
    for (const name of forms.early) page.listen(root, name);
  }
}

/** Tells where a GET form leads, because the browser writes what the visitor typed into that address. */
function lead(form: HTMLFormElement, submitter: HTMLElement | null | undefined, page: Page) {
  const of = (name: string) => submitter?.getAttribute("form" + name) ?? attribute(form, name);
  if (/^(post|dialog)$/i.test(of("method"))) return;
  let url;
  try {
    url = new URL(of("action") || location.href, document.baseURI);
  } catch {
    // The form leads nowhere. The visitor sent it all the same.
    return;
  }
  const names = new Set(fieldsOf(form).map((field) => attribute(field, "name")).filter((name) => name && !/^utm_|clid$/.test(name)));
  if (url.origin !== location.origin || !names.size) return;
  page.learnLead(url.origin + url.pathname, [...names]);
}

function read(form: Element) {
  const [id, name] = [attribute(form, "id"), attribute(form, "name")];
  return {
    // A form without id and name is told from others by the address that it sends to.
    key: id || name || attribute(form, "action"),
    id,
    name,
    isPrivate: isPrivate(form),
    fields: fieldsOf(form).map((field) => ({
      name: nameOf(field),
      type: attribute(field, "type"),
      autocomplete: attribute(field, "autocomplete"),
      isPrivate: isPrivate(field),
    })),
  };
}

/** The fields that the form owns, wherever they stand. A field called `elements` would hide the form's own list. */
function fieldsOf(form: Element): Element[] {
  const elements: HTMLFormControlsCollection = Reflect.get(HTMLFormElement.prototype, "elements", form);
  return [...elements].filter((element) => element.matches(FIELDS)).slice(0, FIELDS_MAX);
}

function nameOf(field: Element): string {
  return attribute(field, "name") || attribute(field, "id");
}

function attribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? "";
}

/** Whether the site marked the element, or one around it, as private. A shadow root's host counts as well. */
function isPrivate(element: Element): boolean {
  const root = element.getRootNode();
  return !!element.closest("[data-hilo-private]") || (root instanceof ShadowRoot && isPrivate(root.host));
}
