/**
 * What wasm-bindgen makes of `hilo-tracker/src/shell/browser/face.rs`, and `build.ts` of that.
 */
declare module "hilo-wasm" {
  /** What the module wants to be given. */
  export const imports: WebAssembly.Imports;
  /** Lets the functions below work, once. */
  export function bind(exports: WebAssembly.Exports): void;
  export function call(what: number, number: number, ticket: number, status: number, text: string): number;
}

/** What wasm-bindgen makes of `hilo-tracker/src/shell/browser/more_face.rs`, and `build.ts` of that. */
declare module "hilo-more-wasm" {
  export const imports: WebAssembly.Imports;
  export function bind(exports: WebAssembly.Exports): void;
  export function read(kind: string, cells: any, url: string, elapsed_ms: number): string;
  export function leave(url: string, elapsed_ms: number): string;
  export function expect_sources(settings: any): void;
  export function hear(source: string, told: any): string;
  export function granted_keys(granted: string): string;
  export function store_lead(lead: string): void;
  export function forget_leads(): void;
}

/** What wasm-bindgen makes of `hilo-tracker/src/shell/browser/shop_face.rs`, and `build.ts` of that. */
declare module "hilo-shop-wasm" {
  export const imports: WebAssembly.Imports;
  export function bind(exports: WebAssembly.Exports): void;
  export function read_push(entry: any, url: string, elapsed_ms: number, currency: string, may_ask: boolean): string;
  export function read_cart(cart: any): void;
  export function learn_products(products: any): void;
  export function next_act(lines: any, is_leaving: boolean): string;
}

/** What wasm-bindgen makes of `hilo-tracker/src/shell/browser/cart_face.rs`, and `build.ts` of that. */
declare module "hilo-cart-wasm" {
  export const imports: WebAssembly.Imports;
  export function bind(exports: WebAssembly.Exports): void;
  /** Gives the answer to `answer` in `cart/page.ts`. */
  export function call(request: string): void;
}

/** Set by `build.ts`. A `_FILE` is a part's name on the collector, without the endings of its code and module. */
declare const HILO_CART_FILE: string;
declare const HILO_CART_WASM_BASE64: string;
declare const HILO_MORE_FILE: string;
declare const HILO_MORE_WASM_BASE64: string;
/** Whether the first module is fetched: else its bytes stand in the script. */
declare const HILO_STREAMS: boolean;
declare const HILO_SHOP_FILE: string;
declare const HILO_SHOP_WASM_BASE64: string;
declare const HILO_DEBUG_FILE: string;
/** The capture kinds of the second file: `usual`, `targets`, and the events that the first file listens to. */
declare const HILO_KINDS: Record<keyof typeof import("./capture/index.ts"), [usual: boolean, targets?: string, ...early: string[]]>;
/** The first module as JavaScript, on the collector, without its ending. Each other one stands beside its module, under the same name. */
declare const HILO_PLAIN_FILE: string;
declare const HILO_WASM_TEXT: string;
declare const HILO_WASM_MASK: number;
declare const HILO_WASM_BASE64: string;
