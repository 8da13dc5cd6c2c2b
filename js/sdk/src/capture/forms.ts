/**
 * Forms: what a visitor did to a field or a form → the form as the document has it. Names and types of fields, never a value.
 */
import { FORM_BLURRED, FORM_FOCUSED, FORM_SUBMITTED } from "../codes.ts";
import type { CaptureKind } from "../more/kind.ts";

/** Fields of one form that are looked at. */
const FIELDS_MAX = 100;
const FIELDS = "input,select,textarea";
const STEPS: Record<string, number> = { focusin: FORM_FOCUSED, focusout: FORM_BLURRED, submit: FORM_SUBMITTED };

export const forms: CaptureKind = {
  early: Object.keys(STEPS),
  late: [],
  read({ target, type }) {
    const form = target instanceof Element && target.closest("form");
    if (!form) return;
    const step = STEPS[type]!;
    if (step === FORM_SUBMITTED) return { step, form: read(form), field: "" };
    // Buttons and the like are no fields.
    if (target.matches(FIELDS)) return { step, form: read(form), field: nameOf(target) };
  },
};

function read(form: Element) {
  const [id, name] = [attribute(form, "id"), attribute(form, "name")];
  return {
    // A form without id and name is told from others by the address that it sends to.
    key: id || name || attribute(form, "action"),
    id,
    name,
    isPrivate: isPrivate(form),
    fields: [...form.querySelectorAll(FIELDS)].slice(0, FIELDS_MAX).map((field) => ({
      name: nameOf(field),
      type: attribute(field, "type"),
      autocomplete: attribute(field, "autocomplete"),
      isPrivate: isPrivate(field),
    })),
  };
}

function nameOf(field: Element): string {
  return attribute(field, "name") || attribute(field, "id");
}

function attribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? "";
}

/** Whether the site marked the element, or one around it, as private. */
function isPrivate(element: Element): boolean {
  return !!element.closest("[data-hilo-private]");
}
