/**
 * Canaries: texts that stand for a person's data, one in each field that a sender can fill, and a search for them in files.
 *
 * In: the field table of the core. Out: events with a canary in every field; the canaries that a folder's bytes contain.
 */
import { randomInt } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Json } from "./envelopes.ts";

const table = fileURLToPath(new URL("../../crates/hilo-core/src/event/fields.rs", import.meta.url));

/** A row of the field table. */
interface Field {
  path: string;
  shape: string;
  privacy: string;
}

/** The rows of the field table in `fields.rs`. */
export function fields(): Field[] {
  const row = /^ {4}row\("([^"]+)", (\w+)(?:\([^)]*\))?, .*, (\w+)\),$/gm;
  return [...readFileSync(table, "utf8").matchAll(row)].map(([, path, shape, privacy]) => ({ path: path!, shape: shape!, privacy: privacy! }));
}

/** The planted canaries, each with the place where it was planted. */
export class Canaries {
  readonly planted = new Map<string, string>();

  /** A new text. It has letters only, so that nothing takes it for a secret or a number. */
  text(place: string): string {
    const letters = Array.from({ length: 8 }, () => String.fromCharCode(97 + randomInt(26))).join("");
    return this.plant(`kanari${letters}`, place);
  }

  /** A new whole number. */
  number(place: string): number {
    return Number(this.plant(`${randomInt(100_000_000, 999_999_999)}`, place));
  }

  /** Plants a text that was made elsewhere. */
  plant(canary: string, place: string): string {
    this.planted.set(canary, place);
    return canary;
  }

  /** An event of this type with a canary in every field, but for those of `over`. */
  event(type: string, over: Json): Json {
    const event: Json = {};
    for (const { path, shape } of fields()) {
      const given = path.split(".").reduce((at: Json | undefined, key) => at?.[key], over);
      if (given !== undefined || path === "type") continue;
      const value = this.value(`${type}: ${path}`, shape);
      if (value === undefined) continue;
      const keys = path.split(".");
      const last = keys.pop()!;
      const parent = keys.reduce((at: Json, key) => (at[key] ??= {}), event);
      // A parent may have been filled before its fields.
      if (parent[last] === undefined) parent[last] = value;
    }
    const { context, ...rest } = over;
    return { ...event, type, ...rest, context: { ...event["context"], ...context } };
  }

  private value(place: string, shape: string): unknown {
    switch (shape) {
      case "Text":
        return place.endsWith("timezone") ? "Europe/Madrid" : /url$|referrer$|link$/.test(place) ? `https://shop.example/${this.text(place)}` : this.text(place);
      case "Id":
        return this.text(place);
      case "Number":
      case "Count":
        return this.number(place);
      case "Counts":
        return { [this.text(`${place}, a key`)]: this.number(place) };
      case "Flag":
        return true;
      case "Open":
        return { plain: this.text(place), email: `${this.text(`${place}, an address`)}@shop.example`, deep: [{ deeper: this.text(`${place}, deep`) }], amount: this.number(`${place}, a number`) };
      case "Ignored":
        return this.text(place);
      default:
        // The rows of a closed object and of a link are fields of their own. Flags are no text.
        return undefined;
    }
  }

  /** The places of the canaries that stand in any file below `folder` or in `lines`, with or without base64. */
  found(folder: string, lines: string[] = []): string[] {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const bytes = [...files.map((file) => readFileSync(join(file.parentPath, file.name))), Buffer.from(lines.join("\n"))];
    const isIn = (canary: string) => {
      // The three ways in which base64 writes it, by its offset. The first and the last letters depend on what stands beside it.
      const shifted = [0, 1, 2].map((shift) => Buffer.from(`${"x".repeat(shift)}${canary}`).toString("base64").slice(shift ? 4 : 0, -4));
      return [canary, ...shifted].some((text) => bytes.some((file) => file.includes(text)));
    };
    return [...this.planted].filter(([canary]) => isIn(canary)).map(([, place]) => place);
  }
}
