/**
 * What a cart that is captured from a shop system shows and tells, for the scenarios of these systems.
 */
import assert from "node:assert/strict";

import { passed, type Json } from "./scenario.ts";

/** Waits until the cart of `page` has the lines; then asserts that it keeps them for `ms`, and that the page saw no error. */
export async function shows(page: Json, expected: string[], ms: number) {
  const read = () => page.evaluate(() => (window as Json).hilo.cart.lines().map((one: Json) => [one.product_id, one.quantity, one.price ?? "?", one.currency].join(" ")).sort());
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline && JSON.stringify(await read()) !== JSON.stringify(expected)) await page.waitForTimeout(50);
  await passed(page, ms);
  assert.deepEqual(await read(), expected);
  assert.deepEqual(page.problems, []);
}

/** The named acts that came, each with its product and units. */
export const told = (site: { events(): Json[] }) =>
  site.events().filter((event) => event["type"] === "track").map((event) => `${event["event"]} ${event["properties"].product_id} ${event["properties"].quantity}`);

/** Units by product that the touchpoints come to. The cart tells what is final, so acts that follow each other may be one. */
export function net(site: { events(): Json[] }): Record<string, number> {
  const units: Record<string, number> = {};
  for (const [, sign, id, count] of told(site).map((text) => /^Product (A|R)\w+ (\w+) (\d+)$/.exec(text)!)) units[id!] = (units[id!] ?? 0) + (sign === "A" ? +count! : -count!);
  return Object.fromEntries(Object.entries(units).filter(([, count]) => count));
}
