/**
 * The site's own changes of events. In: an event as the module writes it, in pieces. Out: the same event with what the site changed, or
 * nothing where the site drops it.
 *
 * Only what describes comes from the site. The pieces with ids and session are never read back, and of the first piece type, id and time
 * stay its own. Of the context only fields come back that the envelope has nowhere else, because a piece may stand in the envelope.
 */
import { json } from "./json.ts";
import type { Change } from "./types.ts";
import { fail, queued } from "./voice.ts";

const changes: Change[] = [];

/** Lets `change` see every event from now on. */
export const use = (change: Change) => void changes.push(change);

/** An object as JSON, without its end. */
const opened = (value: object) => json(value)!.slice(0, -1);

/** Lets the site change an event. A change that fails changes nothing. */
export function changed(own: string): string {
  let text = own;
  for (const change of changes) {
    try {
      const event = JSON.parse(text);
      const result = change(event);
      if (result === null) return queued(own, ""), "";
      // A promise and a stray value are no event.
      const { event: act, name, properties, traits, context }: any = result?.type ? result : event;
      const pieces = text.split("\n");
      pieces[0] = opened({ ...JSON.parse(pieces[0] + "}"), event: act, name, properties, traits });
      pieces[5] = opened({ page: context.page ?? {}, campaign: context.campaign }).replace("{", ",");
      text = pieces.join("\n");
    } catch (error) {
      fail("not_changed", error);
    }
  }
  queued(own, text);
  return text;
}
