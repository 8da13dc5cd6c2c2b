/**
 * Promise: the build writes Rust's lists shorter, and they hold what they held. A list that cannot grow ends the module, and a module
 * whose calls may need more than its stack is not built.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { lean } from "../../js/sdk/lean.ts";
import { checkStack } from "../../js/sdk/stack.ts";

const { default: binaryen } = await import("../../js/node_modules/binaryen/index.js");

const [GROW, ONE, PUSH] = [
  "$alloc::raw_vec::RawVecInner$LT$A$GT$::grow_amortized::h1",
  "$alloc::raw_vec::RawVec$LT$T$C$A$GT$::grow_one::h2",
  "$<alloc::string::String>::push_str",
];
/** Functions with the names of Rust's, and an allocator that takes the next bytes. The items of `one` have 40 bytes each. */
const LISTS = `(module
  (memory $0 1)
  (global $next (mut i32) (i32.const 1024))
  (export "memory" (memory $0)) (export "push" (func ${PUSH})) (export "one" (func ${ONE}))
  (func $__rustc::__rust_alloc (param $0 i32) (param $1 i32) (result i32) (local $2 i32)
    (local.set $2 (global.get $next))
    (if (i32.gt_u (local.get $0) (i32.sub (i32.const 65536) (local.get $2))) (then (return (i32.const 0))))
    (global.set $next (i32.add (local.get $2) (local.get $0)))
    (local.get $2))
  (func $__rustc::__rust_realloc (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (result i32)
    (local.set $2 (call $__rustc::__rust_alloc (local.get $3) (local.get $2)))
    (if (local.get $2) (then (memory.copy (local.get $2) (local.get $0) (local.get $1))))
    (local.get $2))
  (func ${GROW} (param $0 i32) (param $1 i32) (param $2 i32) (param $3 i32) (param $4 i32) (param $5 i32) (unreachable))
  (func ${ONE} (param $0 i32)
    (call ${GROW} (i32.const 0) (local.get $0) (i32.load (local.get $0)) (i32.const 1) (i32.const 8) (i32.const 40)))
  (func ${PUSH} (param $0 i32) (param $1 i32) (param $2 i32) (unreachable)))`;

/** The module of `LISTS` as the build leaves it, with an empty list at the address 512. */
async function lists() {
  const written = (text: string) => {
    const module = binaryen.parseText(text);
    module.setFeatures(binaryen.Features.BulkMemory | binaryen.Features.BulkMemoryOpt | binaryen.Features.MutableGlobals);
    return module;
  };
  const { instance } = await WebAssembly.instantiate(written(lean(written(LISTS).emitText())).emitBinary() as BufferSource);
  const { memory, push, one } = instance.exports as { memory: WebAssembly.Memory; push: (...to: number[]) => void; one: (list: number) => void };
  const list = new Int32Array(memory.buffer, 512, 3);
  list.set([0, 1, 0]);
  return { bytes: new Uint8Array(memory.buffer), list, push: (from: number, count: number) => push(512, from, count), one: () => one(512) };
}

test("a text that grows piece by piece holds every piece", async () => {
  const { bytes, list, push } = await lists();
  bytes.set(Buffer.from("abc"), 600);
  push(600, 0);
  assert.deepEqual([...list], [0, 1, 0], "nothing takes no memory");
  const capacities = new Set<number>();
  for (let i = 0; i < 20; i++) {
    push(600, 3);
    capacities.add(list[0]!);
  }
  assert.equal(Buffer.from(bytes.subarray(list[1], list[1]! + list[2]!)).toString(), "abc".repeat(20));
  assert.deepEqual([...capacities], [8, 16, 32, 64]);
});

test("a list of larger items grows from four on, and keeps them", async () => {
  const { bytes, list, one } = await lists();
  one();
  assert.equal(list[0], 4);
  bytes.fill(7, list[1], list[1]! + 160);
  one();
  assert.equal(list[0], 8);
  assert.ok(bytes.subarray(list[1], list[1]! + 160).every((byte) => byte === 7));
});

for (const count of [65_536, 0x7fffffff, -1]) {
  test(`a text that would need ${count >>> 0} bytes ends the module and stays what it was`, async () => {
    const { bytes, list, push } = await lists();
    bytes.set(Buffer.from("abc"), 600);
    push(600, 3);
    const before = [...list];
    assert.throws(() => push(600, count), WebAssembly.RuntimeError);
    assert.deepEqual([...list], before);
  });
}

const TAKE = (bytes: number) => `(i32.sub\n (global.get $__stack_pointer)\n (i32.const ${bytes})\n)`;
const calls = (stack: number, inner: string) =>
  `(module\n (global $__stack_pointer (mut i32) (i32.const ${stack}))\n (elem $0 (i32.const 1) $b)\n (export "a" (func $a))\n (func $a (param $0 i32)\n ${TAKE(32)} (call $b))\n (func $b\n ${TAKE(16)} ${inner})\n (func $c\n ${TAKE(4096)})\n)\n`;

test("calls fit on the stack twice, or the module is not built", () => {
  checkStack(calls(96, ""));
  checkStack(calls(1_048_576, "(call $c)"));
  assert.throws(() => checkStack(calls(95, "")), /need 96 bytes of stack, and there are 95/);
  assert.throws(() => checkStack(calls(5_120, "(call $c)")), /need 8288 bytes/);
});

test("nobody can tell the stack of a function that calls itself, directly or through the table", () => {
  assert.throws(() => checkStack(calls(5_120, "(call $a)")), /a > b > a/);
  assert.throws(() => checkStack(calls(5_120, "(call_indirect (type $0))")), /a > b > b/);
});
