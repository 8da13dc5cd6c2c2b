/**
 * A form as the document has it → cells: names, types and marks of its fields, and whether a field is filled in. Never a value.
 */

import { isPrivate } from "../../more/around.ts";

/** Fields of one form that are looked at. */
const FIELDS_MAX = 100;
export const FIELDS = "input,select,textarea";
/** Types whose fields are not even looked at. */
const SECRET = /^(password|hidden|file)$/;
/** Chromium before 110 has only its own word. */
const autofill = () => (CSS.supports("selector(:autofill)") ? ":autofill" : ":-webkit-autofill");
/** What a field without a trait's name gives, by its type. */
const TRAITS: Record<string, string> = { email: "email", tel: "phone" };

export type Field = HTMLInputElement;

export function attribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? "";
}

/** The document that the form stands in. A field called `ownerDocument` would hide it. */
export const documentOf = (form: Element): Document => Reflect.get(Node.prototype, "ownerDocument", form)!;

/** The fields that the form owns, wherever they stand. A field called `elements` would hide the form's own list. */
export function fieldsOf(form: Element): Field[] {
  const elements: HTMLFormControlsCollection = Reflect.get(HTMLFormElement.prototype, "elements", form);
  return ([...elements] as Field[]).filter((element) => element.matches(FIELDS)).slice(0, FIELDS_MAX);
}

/** The form's cells. Errors are read where `hasErrors`. */
export function cellsOf(form: Element, hasErrors: boolean) {
  const [id, name, autofilled] = [attribute(form, "id"), attribute(form, "name"), autofill()];
  const inside = documentOf(form);
  const frame = inside !== document || undefined;
  return {
    // A form without id and name is told from others by the address that it sends to. A frame may have a form of the same name.
    key: (frame ? inside.URL + " " : "") + (id || name || attribute(form, "action")),
    frame,
    id,
    name,
    isPrivate: isPrivate(form),
    lead: form.hasAttribute("data-hilo-lead") ? attribute(form, "data-hilo-lead") || id || name || "form" : "",
    fields: fieldsOf(form).map((field) => {
      const type = typeOf(field);
      const isHidden = isPrivate(field);
      return {
        name: nameOf(field),
        type,
        names: namesOf(field).join(" "),
        autocomplete: attribute(field, "autocomplete").replace(/\s+/g, " "),
        isPrivate: isHidden,
        isFilled: !isHidden && !SECRET.test(type) && (isBox(field) ? field.checked : !!field.value),
        isAutofilled: field.matches(autofilled),
        trait: traitOf(field, form),
        optin: attribute(field, "data-hilo-optin"),
        errors: hasErrors ? errorsOf(field) : "",
      };
    }),
  };
}

export const isBox = (field: Element) => /^(checkbox|radio)$/.test(typeOf(field));

/** The type in small letters, because pages write it in any case. */
const typeOf = (field: Element) => attribute(field, "type").toLowerCase();

/** What the page calls the field: the best name first. */
const namesOf = (field: Element) => ["data-hilo-field", "name", "id", "aria-label"].map((name) => attribute(field, name).replace(/\s+/g, "-"));

function nameOf(field: Element): string {
  const [ours, name, id, label] = namesOf(field);
  return ours || name || id || attribute(field, "autocomplete").replace(/\s+/g, "-") || label!;
}

/** The trait for which the site marked the field, or its form lists it. */
export function traitOf(field: Element, form: Element): string {
  const own = field.getAttribute("data-hilo-value");
  if (own !== null) return own || TRAITS[typeOf(field)] || nameOf(field);
  const name = attribute(field, "name");
  return attribute(form, "data-hilo-value").split(/[\s,]+/).includes(name) ? TRAITS[typeOf(field)] || name : "";
}

/** The browser's own words for what is wrong with a field; never a message, which may repeat the value. */
function errorsOf(field: Field): string {
  const wrong: string[] = [];
  for (const key in field.validity) if (key !== "valid" && field.validity[key as keyof ValidityState]) wrong.push(key);
  if (!wrong.length && isMarked(field)) wrong.push("ariaInvalid");
  return wrong.join(" ");
}

/** Whether the page marked the field as wrong. */
export const isMarked = (field: Element) => attribute(field, "aria-invalid") === "true";
