/**
 * What a page may write with the types of the tracking plan in `plan.toml`. Only the type check reads this file: a line that is
 * marked as an error must be one. `tests/golden/plan.rs` compares `plan.ts` with the plan.
 */
import type { Hilo } from "hilo-tracker";
import type { PlannedHilo } from "./plan.ts";

declare const hilo: Hilo;

const planned: PlannedHilo = hilo;
planned.track("Order Completed", { order_id: "1001", total: 19.5, products: [{ sku: "mug" }], gift: true, note: "own" });
planned.identify("u1", { plan: "pro" });
// @ts-expect-error: the plan has no event of this name
planned.track("Order Complete", { order_id: "1001", total: 19.5 });
// @ts-expect-error: the plan requires a total
planned.track("Order Completed", { order_id: "1001" });
// @ts-expect-error: a total is a number
planned.track("Order Completed", { order_id: "1001", total: "19.50" });
// @ts-expect-error: the plan has no such plan of a customer
planned.identify("u1", { plan: "gold" });
