/**
 * What a site calls a line → the cells that the cart's module takes, and acts on lines as tabs tell them to each other. Wrong
 * shapes become lines that the module refuses.
 */
import type { LineInput } from "../types.ts";
import type { Shown } from "./flat.ts";

/** `variant options currency price name url image`. */
export type Cells = [variant: string, options: string, currency: string, price: string, name: string, url: string, image: string];

const text = (value: unknown) => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");

/** The cells of a line. */
export function cellsOf(line: LineInput): Cells {
  const { product_id, variant, options, options_hash, currency, price, name, url, image } = (line ?? {}) as LineInput;
  return [
    text(variant ?? product_id),
    options_hash ?? hash(options ?? {}),
    text(currency).toUpperCase(),
    // A price from a calculation carries noise such as 0.30000000000000004.
    typeof price === "number" ? String(Math.round(price * 1e4) / 1e4) : text(price),
    text(name),
    text(url),
    text(image),
  ];
}

/**
 * The hash of chosen options: FNV-1a, 64 bits, of `name=value` lines in the order of their names; 0 for none. Every client
 * of a cart must hash alike: options are part of what makes a line.
 */
export function hash(options: Record<string, unknown>): string {
  const pairs = Object.keys(options).sort().map((name) => `${name}=${String(options[name])}`);
  if (!pairs.length) return "0";
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(pairs.join("\n"))) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  return String(sum);
}

/** A count of units: 1 where nothing is said, NaN-proof. */
export function units(value: unknown, otherwise = 1): number {
  const count = value === undefined ? otherwise : Math.trunc(Number(value));
  // What is no count becomes one that the module refuses.
  return count >= 0 && count <= 0xffffffff ? count : 0xffffffff;
}

/** `kind` 0 add, 1 set, 2 dec, 3 clear. */
export type Act = [n: number, kind: number, units: number, cells: Cells | null, isQuiet: boolean];

/** What an act will make of the lines: near enough until the leader says how it is. */
export function overlay(lines: Shown[], [, kind, count, cells]: Act): Shown[] {
  if (!cells) return [];
  const [variant, options, currency, , name, url, image] = cells;
  const isIt = (line: Shown) => line.variant === variant && line.options === options && line.currency === currency;
  const known: Shown = lines.find(isIt) ?? { quantity: 0, variant, options, currency, decimals: 2 };
  const quantity = Math.max(0, kind === 0 ? known.quantity + count : kind === 1 ? count : known.quantity - count);
  const next = { ...known, quantity, ...(name && { name }), ...(url && { url }), ...(image && { image }) };
  const rest = lines.filter((line) => !isIt(line));
  return quantity ? (lines.some(isIt) ? lines.map((line) => (isIt(line) ? next : line)) : [...rest, next]) : rest;
}
