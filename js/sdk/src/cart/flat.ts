/**
 * The cart module's text ↔ the hub's JSON and the site's lines. The browser's own JSON reads and writes; the module only sees lines
 * of cells (`hilo_core::cart::flat`). Numbers beyond 2⁵³ stay text on the way.
 */
import { CART_DELTA, CART_FULL } from "../codes.ts";
import type { CartLine } from "../types.ts";
import type { HubView, LineName, Look, Ops, Put } from "./hub/wire.ts";
import type { Shown } from "./types.ts";

/** The fields of a look, by the letter that their cell begins with. */
const LOOKS: Record<string, keyof Look> = { n: "name", u: "url", m: "image", p: "unit_price" };

/** The lines of a text, each with its cells. */
export function table(text: string): string[][] {
  const plain = (cell: string) => cell.replace(/\\./g, (escaped) => JSON.parse(`"${escaped}"`) as string);
  return text.split("\n").filter(Boolean).map((line) => line.split("\t").map(plain));
}

/** A record of these cells. A backslash, tab or line's end inside a cell is escaped as in JSON. */
export const row = (...cells: unknown[]) => cells.map((cell) => String(cell).replace(/[\\\t\n]/g, (c) => JSON.stringify(c).slice(1, -1))).join("\t");

/** How a line looks, from its cells. */
const lookOf = (cells: string[]): Look => Object.fromEntries(cells.map((cell) => [LOOKS[cell[0]!], cell.slice(1)]));

/** Operations for the hub. */
export function opsOf(text: string): Ops {
  const [[, v, cart, epoch, replica, token, from, to, base] = [], ...records] = table(text);
  const ops: Ops = { v: +v!, cart: cart!, epoch: +epoch!, replica: replica!, token: token!, from: +from!, to: +to!, base: base!, put: [], drop: [], info: [] };
  for (const [tag, ...cells] of records) {
    if (tag === "x") ops.drop.push([cells[0]!, +cells[1]!]);
    const line = cells.slice(0, 3) as LineName;
    if (tag === "p") {
      const [r, n, kind, quantity, ...used] = cells.slice(3);
      const put: Put = [line, [r!, +n!], kind!, +quantity!];
      if (used[0]) put.push(Object.fromEntries(used.flatMap((replica, i) => (i % 2 ? [] : [[replica, +used[i + 1]!]]))));
      ops.put.push(put);
    }
    if (tag === "i") ops.info.push([line, lookOf(cells.slice(4))]);
  }
  return ops;
}

/** A view of the hub for the module. */
export function viewText(view: Partial<HubView>): string {
  const { full } = view;
  const { vv = {}, cloud = view.drop, put, info } = full ?? view;
  const rows = [row(full ? CART_FULL : CART_DELTA, view.cart ?? "", view.rev, view.epoch, view.acked ?? 0)];
  for (const [replica, n] of Object.entries(vv)) rows.push(row("v", replica, n));
  for (const dot of cloud ?? []) rows.push(row("x", ...dot));
  for (const [line, dot, kind, quantity, used] of put ?? []) rows.push(row("p", ...line, ...dot, kind, quantity, ...Object.entries(used ?? {}).flat()));
  for (const [line, rev, look] of info ?? []) {
    const cells = Object.entries(LOOKS).flatMap(([letter, name]) => (look[name] == null ? [] : [letter + look[name]]));
    rows.push(row("i", ...line, rev, ...cells));
  }
  return rows.join("\n");
}

/** One line's cells, from `variant` on. */
export function shownOf(quantity: string, [variant = "", options = "", currency = "", decimals = "", ...looks]: string[]): Shown {
  return { quantity: +quantity, variant, options, currency, decimals: +decimals, ...lookOf(looks) };
}

/** Minor units as decimal text. */
function amount(minor: bigint, decimals: number): string {
  const digits = String(minor).padStart(decimals + 1, "0");
  return decimals ? `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}` : digits;
}

/** A line as the site gets it. */
export function lineOf({ quantity, variant, options, currency, decimals, unit_price, name, url, image }: Shown): CartLine {
  return {
    product_id: variant,
    currency,
    quantity,
    ...(options !== "0" && { options_hash: options }),
    ...(name && { name }),
    ...(url && { url }),
    ...(image && { image }),
    ...(unit_price && { price: amount(BigInt(unit_price), decimals) }),
  };
}

/** The sum of the lines with a known price, per currency. Whole numbers only: money never passes through floating point. */
export function totalsOf(lines: Shown[]): Record<string, string> {
  const sums: Record<string, [bigint, number]> = {};
  for (const { quantity, currency, decimals, unit_price } of lines) {
    if (unit_price) sums[currency] = [(sums[currency]?.[0] ?? 0n) + BigInt(unit_price) * BigInt(quantity), decimals];
  }
  return Object.fromEntries(Object.entries(sums).map(([currency, sum]) => [currency, amount(...sum)]));
}

/** Units whose price is unknown, so that no total has them. */
export const unpricedOf = (lines: Shown[]) => lines.reduce((sum, { quantity, unit_price }) => sum + (unit_price ? 0 : quantity), 0);
