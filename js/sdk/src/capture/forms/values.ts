/**
 * The values that a site asked for: fields of a lead form that it marked with `data-hilo-value`, and ticked boxes that are opt-ins.
 *
 * The module decides which fields are read, because what is secret stays secret whatever is marked. They are read at the submission,
 * before the page's script empties the form, and stay in memory until the form counts as submitted, or until a denial.
 */
import type { Shop } from "../../cart.ts";
import type { Channel } from "../../types.ts";
import { attribute, fieldsOf, isBox, traitOf, type Field } from "./document.ts";

const VALUE_MAX = 512;
/** Characters of the text that the visitor agreed to. */
const TEXT_MAX = 4_000;

type OptIn = [channel: Channel, said: { text: string; version: string; address?: string }];

/** What was read, by number: the last submission of a form counts. */
const kept = new Map<number, { form: Element; traits: Record<string, string | boolean>; optins: OptIn[] }>();

/** Reads what the module allows, `{traits: number, fields, optins}`, and keeps it under the number. */
function ask({ traits: ticket, fields, optins }: { traits: number; fields: number[]; optins: number[] }, form: Element) {
  const all = fieldsOf(form);
  const traits: Record<string, string | boolean> = {};
  for (const field of fields.map((at) => all[at]!)) {
    const value = valueOf(field);
    if (value !== "") traits[traitOf(field, form)] = value;
  }
  const optIn = (at: number): OptIn => {
    const channel = attribute(all[at]!, "data-hilo-optin") as Channel;
    const address = traits[channel === "email" ? channel : "phone"];
    return [channel, { text: textOf(all[at]!), version: attribute(all[at]!, "data-hilo-version") || "1", ...(address && channel !== "push" && channel !== "post" && { address: String(address) }) }];
  };
  for (const [known, one] of kept) if (one.form === form) kept.delete(known);
  kept.set(ticket, { form, traits, optins: optins.map(optIn) });
}

/** A visitor who denies leaves no trait here. An opt-in is a wish of its own. */
export const forgetTraits = () => kept.forEach((one) => (one.traits = {}));

/** The properties with the traits that were read for them. Opt-ins go to the collector now. */
export function withValues(properties: string, form: EventTarget | undefined, { use }: Shop): string {
  if (properties.startsWith('{"traits":') && form) {
    const asked = JSON.parse(properties);
    if (asked.fields) ask(asked, form as Element);
  }
  return properties.replace(/,?"traits":(\d+)\}$/, (_, ticket: string) => {
    const { traits, optins } = kept.get(+ticket) ?? { traits: {}, optins: [] };
    kept.delete(+ticket);
    for (const one of optins) void use((cart) => cart.optIn(one[0], "subscribed", one[1]));
    const fields = JSON.stringify(traits).slice(1);
    return (fields === "}" ? "" : ",") + fields;
  });
}

/** The field's value. A radio that is not ticked has none: another one of its name may have it. */
function valueOf(field: Field): string | boolean {
  if (isBox(field)) return field.type !== "radio" ? field.checked : field.checked ? field.value : "";
  const value = field.value.trim().slice(0, VALUE_MAX);
  return field.type === "email" ? value.toLowerCase() : value;
}

/** The text that the visitor saw beside the box. */
function textOf(box: Field): string {
  const shown = [...(box.labels ?? [])].map((label) => label.innerText).join(" ") || attribute(box, "aria-label");
  return shown.replace(/\s+/g, " ").trim().slice(0, TEXT_MAX);
}
