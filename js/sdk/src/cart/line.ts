/**
 * A site's lines → the cells that the cart's module takes; a follower's acts → the lines it shows until the leader has done them.
 * Wrong shapes become lines that the module refuses.
 */
import { CART_ACT_ADD, CART_ACT_SET } from "../codes.ts";
import type { LineInput } from "../types.ts";
import { NO_CURRENCY } from "./limits.ts";
import type { Act, Cells, Shown } from "./types.ts";

const text = (value: unknown) => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");

/** The cells of a line. The site may give anything; each cell checks itself. */
export function cellsOf(line: LineInput | null | undefined): Cells {
  const { product_id, variant, options, options_hash, currency, price, name, url, image } = line ?? ({} as LineInput);
  const code = text(currency).toUpperCase();
  return [
    text(variant ?? product_id),
    options_hash ?? hash(options ?? {}),
    code || NO_CURRENCY,
    // A price without a currency is unknown. A number may come from a calculation, so the module rounds it.
    code && (typeof price === "number" ? "~" : "") + text(price),
    text(name),
    text(url),
    text(image),
  ];
}

/**
 * The hash of chosen options: FNV-1a, 64 bits, of `name=value` lines in the order of their names; 0 for none. Every client
 * of a cart must hash alike, because lines with different options are different lines.
 */
export function hash(options: Record<string, unknown>): string {
  const pairs = Object.keys(options).sort().map((name) => `${name}=${String(options[name])}`);
  if (!pairs.length) return "0";
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(pairs.join("\n"))) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  return String(sum);
}

/** The units that a quantity begins, as an order takes them: 1.5 kg are 2. 1 for no value. */
export function units(value: unknown): number {
  const count = value === undefined ? 1 : Number(value);
  // A value that is no count becomes a count that the module refuses. A millionth is the noise of a calculation.
  return count >= 0 && count <= 0xffffffff ? Math.ceil(count - 1e-6) || 0 : 0xffffffff;
}

/** The line that the cells name; a new one where it is not among `lines`. */
export const lineIn = (lines: Shown[], [variant, options, currency]: Cells): Shown =>
  lines.find((line) => line.variant === variant && line.options === options && line.currency === currency) ?? { quantity: 0, variant, options, currency, decimals: 2 };

/** The lines after an act: near enough until the leader sends the cart. */
export function overlay(lines: Shown[], [, kind, count, cells]: Act): Shown[] {
  if (!cells) return [];
  const [, , , , name, url, image] = cells;
  const known = lineIn(lines, cells);
  const quantity = Math.max(0, kind === CART_ACT_ADD ? known.quantity + count : kind === CART_ACT_SET ? count : known.quantity - count);
  const next = { ...known, quantity, ...(name && { name }), ...(url && { url }), ...(image && { image }) };
  if (!quantity) return lines.filter((line) => line !== known);
  return lines.includes(known) ? lines.map((line) => (line === known ? next : line)) : [...lines, next];
}
