/** What one visit (`acts.ts`) sends: requests, and bytes per event with all heads. Time does not count, so all trackers visit at once. */
import { ACTS } from "./acts.ts";
import type { Place } from "./costs.ts";
import { begin, tell, until, visit } from "./pages.ts";
import type { Tracker } from "./trackers.ts";

/** A visit with an act each `gapMs`, or with all of them in one task. Then the visitor leaves. */
export async function visitOnce({ browser, recorder }: Place, tracker: Tracker, gapMs: number) {
  const here = await visit(browser, recorder, tracker);
  await begin(here);
  for (const acts of gapMs ? ACTS.map((act) => [act]) : [ACTS]) {
    await here.page.waitForTimeout(gapMs);
    await tell(here.page, acts);
  }
  await here.page.waitForTimeout(2_500);
  await here.page.goto("about:blank");
  const { visitor } = here;
  await until(() => visitor.marks.size === ACTS.length, 5);
  await here.context.close();
  const { requests, preflights, sentBytes, marks } = visitor;
  return { requests, preflights, events: marks.size + 1, perEvent: sentBytes / (ACTS.length + 1) };
}
