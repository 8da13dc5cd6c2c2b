/**
 * Writes the functions of Rust's lists, texts and allocator shorter, in a module's text. Used by `hush.ts`.
 *
 * Rust's own report an error through several functions, and the page's modules end at each of these errors. A lock stands around the
 * allocator of a page's module, which has one thread. Here a list that cannot grow ends the module at once. Functions are found by name
 * and number of arguments; whatever has another shape stays as it is.
 */

/** A list is its capacity, its address and its length. An empty one has no memory, and the alignment as its address. */
const SHARED = `
 (func $lean::new (param $count i32) (param $align i32) (param $size i32) (result i32) (local $bytes i64)
  (local.set $bytes (i64.mul (i64.extend_i32_u (local.get $count)) (i64.extend_i32_u (local.get $size))))
  (if (i64.gt_u (local.get $bytes) (i64.const 0x7fffffff)) (then (unreachable)))
  (local.set $size (i32.wrap_i64 (local.get $bytes)))
  (if (local.get $size) (then
   (local.set $align (call $__rustc::__rust_alloc (local.get $size) (local.get $align)))
   (if (i32.eqz (local.get $align)) (then (unreachable)))))
  (local.get $align))
 (func $lean::grow (param $list i32) (param $length i32) (param $more i32) (param $align i32) (param $size i32) (local $old i32) (local $bytes i64)
  (local.set $more (i32.add (local.get $length) (local.get $more)))
  (if (i32.lt_u (local.get $more) (local.get $length)) (then (unreachable)))
  (local.set $old (i32.load (local.get $list)))
  (local.set $length (i32.shl (local.get $old) (i32.const 1)))
  (if (i32.lt_u (local.get $length) (local.get $more)) (then (local.set $length (local.get $more))))
  (local.set $more (select (i32.const 8) (i32.const 4) (i32.eq (local.get $size) (i32.const 1))))
  (if (i32.lt_u (local.get $length) (local.get $more)) (then (local.set $length (local.get $more))))
  (local.set $bytes (i64.mul (i64.extend_i32_u (local.get $length)) (i64.extend_i32_u (local.get $size))))
  (if (i64.gt_u (local.get $bytes) (i64.const 0x7fffffff)) (then (unreachable)))
  (local.set $more (i32.wrap_i64 (local.get $bytes)))
  (local.set $more (if (result i32) (local.get $old)
   (then (call $__rustc::__rust_realloc (i32.load offset=4 (local.get $list)) (i32.mul (local.get $old) (local.get $size)) (local.get $align) (local.get $more)))
   (else (call $__rustc::__rust_alloc (local.get $more) (local.get $align)))))
  (if (i32.eqz (local.get $more)) (then (unreachable)))
  (i32.store (local.get $list) (local.get $length))
  (i32.store offset=4 (local.get $list) (local.get $more)))
 (func $lean::put (param $text i32) (param $from i32) (param $count i32) (local $length i32)
  (local.set $length (i32.load offset=8 (local.get $text)))
  (if (i32.gt_u (local.get $count) (i32.sub (i32.load (local.get $text)) (local.get $length)))
   (then (call $lean::grow (local.get $text) (local.get $length) (local.get $count) (i32.const 1) (i32.const 1))))
  (memory.copy (i32.add (i32.load offset=4 (local.get $text)) (local.get $length)) (local.get $from) (local.get $count))
  (i32.store offset=8 (local.get $text) (i32.add (local.get $length) (local.get $count))))
`;

const RAW = String.raw`alloc::raw_vec::RawVec\S*`;
/** The functions' names and numbers of arguments, and what they do. The first three texts of a body's layout are `$0`, `$1` and so on. */
const LEAN: [name: RegExp, count: number, body: string | ((own: string) => string)][] = [
  [
    RegExp(`^${RAW}::with_capacity_in::`), 4,
    `(i32.store (local.get $0) (local.get $1))
     (i32.store offset=4 (local.get $0) (call $lean::new (local.get $1) (local.get $2) (local.get $3)))`,
  ],
  [
    RegExp(`^<?${RAW}::do_reserve_and_handle::`), 5,
    `(call $lean::grow (local.get $0) (local.get $1) (local.get $2) (local.get $3) (local.get $4))`,
  ],
  [RegExp(`^${RAW}::grow_one::`), 1, grownByOne],
  [/^<alloc::raw_vec::RawVec<u8>>::grow_one$/, 1, "(call $lean::grow (local.get $0) (i32.load (local.get $0)) (i32.const 1) (i32.const 1) (i32.const 1))"],
  [
    RegExp(`^${RAW}::deallocate::`), 3,
    `(local.set $2 (i32.mul (i32.load (local.get $0)) (local.get $2)))
     (if (local.get $2) (then (call $__rustc::__rust_dealloc (i32.load offset=4 (local.get $0)) (local.get $2) (local.get $1))))`,
  ],
  [/^<alloc::string::String>::push_str$/, 3, "(call $lean::put (local.get $0) (local.get $1) (local.get $2))"],
  [
    /^<alloc::string::String as core::clone::Clone>::clone_from$/, 2,
    `(i32.store offset=8 (local.get $0) (i32.const 0))
     (call $lean::put (local.get $0) (i32.load offset=4 (local.get $1)) (i32.load offset=8 (local.get $1)))`,
  ],
  [
    /^<alloc::string::String as core::clone::Clone>::clone$/, 2,
    `(local $2 i32)
     (local.set $2 (i32.load offset=8 (local.get $1)))
     (i32.store (local.get $0) (local.get $2))
     (i32.store offset=8 (local.get $0) (local.get $2))
     (i32.store offset=4 (local.get $0) (call $lean::new (local.get $2) (i32.const 1) (i32.const 1)))
     (memory.copy (i32.load offset=4 (local.get $0)) (i32.load offset=4 (local.get $1)) (local.get $2))`,
  ],
  [
    /FromWasmAbi\$u20\$for\$u20\$alloc\.\.string\.\.String\$GT\$::from_abi::/, 3,
    `(i32.store (local.get $0) (local.get $2))
     (i32.store offset=4 (local.get $0) (local.get $1))
     (i32.store offset=8 (local.get $0) (local.get $2))`,
  ],
  [/^_\$LT\$lol_alloc\.\.locked_allocator\.\.\S*::alloc::/, 3, unlocked],
  [/^_\$LT\$lol_alloc\.\.locked_allocator\.\.\S*::dealloc::/, 4, unlocked],
];

/** Grows by one item, whose alignment and size only the function's own body has. */
function grownByOne(own: string): string {
  const [, layout = ""] = /grow_amortized::[^]*?(\(i32\.const \d+\)\s+\(i32\.const \d+\))\s+\)/.exec(own) ?? [];
  if (!layout) throw new Error("Rust grows lists in another way now");
  return `(call $lean::grow (local.get $0) (i32.load (local.get $0)) (i32.const 1) ${layout})`;
}

/** Only what is done under the lock. */
function unlocked(own: string): string {
  const [call = ""] = /\(call \$\S+FreeListAllocator\S+\s+\(i32\.add\s+\(local\.get \$0\)\s+\(i32\.const 4\)\s+\)(\s+\(local\.get \$\d\))+\s+\)/.exec(own) ?? [];
  if (!call) throw new Error("lol_alloc locks in another way now");
  return call;
}

/** A module's text with these functions. */
export function lean(text: string): string {
  let replaced = 0;
  const parts = text.replace(/\n\)\s*$/, "").split(/\n (?=\(func \$)/);
  const shorter = parts.map((part) => {
    const [, head = "", quoted, bare] = /^(\(func \$(?:"([^"]+)"|([^\s"]+))(?: \(param \$\d i32\))*(?: \(result i32\))?)/.exec(part) ?? [];
    const count = head.split("(param").length - 1;
    const found = LEAN.find(([name, wanted]) => name.test(quoted ?? bare ?? "") && wanted === count);
    if (!found) return part;
    replaced += 1;
    return `${head}\n  ${typeof found[2] === "string" ? found[2] : found[2](part)}\n )`;
  });
  if (!replaced) throw new Error("no function of Rust's lists has its name");
  return `${shorter.join("\n ")}${SHARED})\n`;
}
