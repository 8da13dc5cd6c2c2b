/**
 * Empties the constants of a linked module that only silenced functions use: `node sweep.ts FILE`, before `wasm-bindgen`.
 *
 * A linker keeps the tables and sentences of everything that it linked; `hush.ts` silences functions later, and no tool finds
 * the constants that are left over. Relocations (`--emit-relocs`) say which function and which constant uses which. A constant
 * that no living function reaches becomes zeros of the same length, which `wasm-opt` leaves out.
 * After the tool conventions: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md
 */
import { readFileSync, writeFileSync } from "node:fs";

import { isTaking, isTrap, isWording } from "./silent.ts";

/** Sections, symbols and relocations, by the numbers of the tool conventions. */
const [CUSTOM, IMPORT, EXPORT, CODE, DATA] = [0, 2, 7, 10, 11];
const SYMBOL_TABLE = 8;
const [FUNCTION, DATUM] = [0, 1];
const UNDEFINED = 0x10;
const EXPLICIT_NAME = 0x40;
/** Relocations that end in an addend: addresses of memory, offsets in functions and sections. */
const WITH_ADDEND = [3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25];
/** Functions that `wasm-bindgen` reads and removes. */
const DESCRIPTION = /^__wbindgen_describe/;

/** Reads numbers and names, front to back. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;
  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte = () => this.bytes[this.at++]!;
  /** LEB128; a negative number comes out wrong, which matters to no caller. */
  number(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }
  name(): string {
    const length = this.number();
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + (this.at += length) - length, length).toString();
  }
  times<T>(read: (i: number) => T): T[] {
    return Array.from({ length: this.number() }, (_, i) => read(i));
  }
}

interface Section {
  id: number;
  name: string;
  /** Where the section begins, where its content does (behind a custom section's name), and where it ends. */
  start: number;
  content: number;
  end: number;
}

/** A function's body or a constant: what the file says of it and what it uses. */
interface Piece {
  start: number;
  end: number;
  uses: Piece[];
  isAlive: boolean;
}

function sectionsOf(bytes: Uint8Array): Section[] {
  const reader = new Reader(bytes, 8);
  const sections: Section[] = [];
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.byte();
    const length = reader.number();
    const end = reader.at + length;
    const name = id === CUSTOM ? reader.name() : "";
    sections.push({ id, name, start, content: reader.at, end });
    reader.at = end;
  }
  return sections;
}

const [file = ""] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(file));
const sections = sectionsOf(bytes);

function at(id: number, name = ""): Reader & { section: Section } {
  const section = sections.find((one) => one.id === id && one.name === name);
  if (!section) throw new Error(`${file} has no section ${id} ${name}: it must be linked with --emit-relocs`);
  return Object.assign(new Reader(bytes, section.content), { section });
}

const piece = (start: number, end: number): Piece => ({ start, end, uses: [], isAlive: false });

/** The bodies of the functions; imports, which come first in their numbering, have none. */
function functions(): (Piece | undefined)[] {
  const imports = at(IMPORT);
  const isFunction = imports.times(() => {
    imports.name();
    imports.name();
    const kind = imports.byte();
    if (kind === 0) imports.number();
    else throw new Error("a module of the page imports functions only");
    return undefined;
  });
  const code = at(CODE);
  const bodies = code.times(() => {
    const length = code.number();
    return piece(code.at, (code.at += length));
  });
  return [...isFunction, ...bodies];
}

/** Where each segment's bytes begin. */
function segments(): number[] {
  const data = at(DATA);
  return data.times(() => {
    if (data.number() !== 0) throw new Error("a segment of another kind than the linker's");
    while (data.byte() !== 0x0b);
    const length = data.number();
    return (data.at += length) - length;
  });
}

/** The module's symbols: each function or constant of its own, by the number that relocations use. */
function symbols(bodies: (Piece | undefined)[]): (Piece | undefined)[] {
  const linking = at(CUSTOM, "linking");
  const starts = segments();
  linking.number();
  for (;;) {
    const kind = linking.byte();
    const length = linking.number();
    if (kind === SYMBOL_TABLE) break;
    linking.at += length;
    if (linking.at >= linking.section.end) throw new Error(`${file} has no symbols`);
  }
  return linking.times(() => {
    const [kind, flags] = [linking.byte(), linking.number()];
    const isOwn = !(flags & UNDEFINED);
    if (kind === DATUM) {
      linking.name();
      if (!isOwn) return undefined;
      const [segment, offset, size] = [linking.number(), linking.number(), linking.number()];
      const start = (starts[segment] ?? NaN) + offset;
      return Number.isNaN(start) ? undefined : piece(start, start + size);
    }
    const index = linking.number();
    // A section's symbol has neither flags nor a name that matter.
    if (kind !== 3 && (isOwn || flags & EXPLICIT_NAME)) linking.name();
    return kind === FUNCTION ? bodies[index] : undefined;
  });
}

/** Notes which piece uses which, after the relocations of one section. */
function relate(name: string, home: Section, pieces: Piece[], symbolOf: (Piece | undefined)[]) {
  const relocations = at(CUSTOM, name);
  relocations.number();
  const sorted = [...pieces].sort((a, b) => a.start - b.start);
  let i = 0;
  relocations.times(() => {
    const [type, offset, index] = [relocations.byte(), relocations.number(), relocations.number()];
    if (WITH_ADDEND.includes(type)) relocations.number();
    const place = home.content + offset;
    while (i + 1 < sorted.length && sorted[i + 1]!.start <= place) i += 1;
    const user = sorted[i];
    // Types, globals and tables are no pieces.
    const used = [6, 7, 10, 13, 20].includes(type) ? undefined : symbolOf[index];
    if (used && user && user.start <= place && place < user.end) user.uses.push(used);
  });
}

/** Names of functions, as the linker wrote them. */
function names(): Map<number, string> {
  const section = at(CUSTOM, "name");
  const found = new Map<number, string>();
  while (section.at < section.section.end) {
    const kind = section.byte();
    const end = section.number() + section.at;
    if (kind === 1) section.times(() => found.set(section.number(), section.name()));
    section.at = end;
  }
  return found;
}

const bodies = functions();
const symbolOf = symbols(bodies);
const constants = [...new Set(symbolOf.filter((one) => one && !bodies.includes(one)))] as Piece[];
const code = at(CODE).section;
const data = at(DATA).section;
relate("reloc.CODE", code, bodies.filter((one) => !!one), symbolOf);
relate("reloc.DATA", data, constants, symbolOf);

for (const [index, name] of names()) {
  const body = bodies[index];
  if (body && (isTaking(name) || isTrap(name) || isWording(name))) body.uses = [];
}
const exported = at(EXPORT);
const living: Piece[] = [];
exported.times(() => {
  const name = exported.name();
  const [kind, index] = [exported.byte(), exported.number()];
  const body = kind === 0 && !DESCRIPTION.test(name) ? bodies[index] : undefined;
  if (body) living.push(body);
});
for (let one = living.pop(); one; one = living.pop()) {
  if (one.isAlive) continue;
  one.isAlive = true;
  living.push(...one.uses);
}

/** The path of a source file: only the sentence of a panic would show it. */
const isSourcePath = ({ start, end }: Piece) => /^[\w/.-]+\.rs\0?$/.test(Buffer.from(bytes.subarray(start, end)).toString("latin1"));

// Symbols may overlap: the bytes of a living one stay.
const before = bytes.slice();
const isDead = (one: Piece) => !one.isAlive || isSourcePath(one);
const dead = constants.filter(isDead);
for (const { start, end } of dead) bytes.fill(0, start, end);
for (const { start, end } of constants.filter((one) => !dead.includes(one))) bytes.set(before.subarray(start, end), start);

// Without the list of features wasm-bindgen takes none for granted: it passes objects as numbers and results through memory, so that
// `wasm2js` can read the module.
const isLeftOut = ({ name }: Section) => /^(linking|target_features|reloc\..*)$/.test(name);
const parts = sections.filter((one) => !isLeftOut(one)).map(({ start, end }) => bytes.subarray(start, end));
writeFileSync(file, Buffer.concat([bytes.subarray(0, 8), ...parts]));
