/**
 * Promise: a site's listeners get each queued event, the collector's outcome for each, and each change of consent, until they end it;
 * what they throw harms nothing.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";

const KINDS = ["event", "outcome", "consent"];
const site = await startSite(() =>
  withSnippet(`<script>
  window.told = []; window.offs = ${JSON.stringify(KINDS)}.map((kind) => hilo.on(kind, (one) => told.push([kind, one])));
  for (const kind of ${JSON.stringify(KINDS)}) hilo.on(kind, () => { throw new Error("the site's own"); });
  hilo.on("event", () => told.push(["ended"]))();
</script>`),
);
const browser = await startBrowser();
after(async () => {
  await browser.close();
  await site.close();
});

test("what is told comes to listeners of the stub, one by one, and nothing after their end", async () => {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on("pageerror", (error: Error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(site.url);
  await page.waitForFunction(() => !(window as any).hilo.q);
  site.answer(({ call, body }) => {
    if (call !== "batch") return { status: 200 };
    const index = body["batch"].findIndex((event: any) => event.event === "Bad");
    const noticed = body["batch"].findIndex((event: any) => event.event === "Odd");
    return {
      status: 200,
      body: {
        success: true,
        accepted: body["batch"].length,
        duplicate: 0,
        rejected: index < 0 ? [] : [{ index, code: "wrong_type", field: "event", message: "text is needed" }],
        notices: noticed < 0 ? [] : [{ index: noticed, count: 1, code: "truncated", field: "properties.long", message: "cut" }],
      },
    };
  });
  await page.evaluate(() => {
    const { hilo } = window as any;
    hilo.consent.grant("analytics");
    for (const name of ["Good", "Bad", "Odd"]) hilo.track(name);
    hilo.flush();
  });
  const told = () => page.evaluate(() => (window as any).told as [string, any][]);
  await page.waitForFunction(() => (window as any).told.filter(([kind]: [string]) => kind === "outcome").length > 3);
  const all = await told();
  const of = (kind: string) => all.filter(([one]) => one === kind).map(([, one]) => one);
  assert.deepEqual(of("ended"), []);
  assert.equal(of("consent")[0].analytics, "granted");
  const events = of("event");
  assert.deepEqual(events.map((event) => event.event ?? event.type), ["page", "Good", "Bad", "Odd"]);
  assert.ok(events.every((event) => event.messageId && event.anonymousId && event.context.page.path));
  const outcomes = new Map(of("outcome").map((outcome) => [outcome.messageId, outcome]));
  const outcome = (name: string) => outcomes.get(events.find((event) => event.event === name).messageId);
  assert.deepEqual([outcome("Good").outcome, outcome("Good").faults], ["accepted", []]);
  assert.equal(outcome("Bad").outcome, "rejected");
  const [fault] = outcome("Bad").faults;
  assert.deepEqual([fault.code, fault.field, fault.message], ["wrong_type", "event", "text is needed"]);
  assert.match(fault.remedy, /^send the field/);
  assert.deepEqual([outcome("Odd").outcome, outcome("Odd").faults[0].code], ["notice", "truncated"]);

  await page.evaluate(() => (window as any).offs.forEach((off: () => void) => off()));
  await page.evaluate(() => ((window as any).hilo.track("Later"), (window as any).hilo.consent.deny("analytics")));
  await site.quiet();
  assert.equal((await told()).length, all.length);
  assert.deepEqual(errors, []);
  await page.context().close();
});
