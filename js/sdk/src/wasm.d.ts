/**
 * What wasm-bindgen makes of `hilo-tracker/src/shell/browser/face.rs`, and `build.ts` of that.
 */
declare module "hilo-wasm" {
  /** What the module wants to be given. */
  export const imports: WebAssembly.Imports;
  /** Lets the functions below work, once. */
  export function bind(exports: WebAssembly.Exports): void;
  export function start(window: Window, key: string, notice: string, first_in_history: string | null | undefined, flags: number): void;
  export function begin(): void;
  export function tell(kind: number, name: string, details: string, at: number): void;
  export function track_as(id: string, event: string, details: string, at: number): void;
  export function reset(): void;
  export function anonymous_id(): string;
  export function session_id(): string;
  export function choose(purposes: string, granted: boolean): void;
  export function withdraw(): void;
  export function choices(): number;
  export function revision(): number;
  export function is_consent_new(): boolean;
  export function flush(): void;
  export function destroy(): void;
  export function happen(what: number): void;
  export function admits(): boolean;
  export function lose(are_old: boolean, count: number): void;
  export function recorded(ticket: number, revision: number, denied: string): boolean;
  export function answered(ticket: number, status: number, retry_after_s: number, word: string): boolean;
}

/** What wasm-bindgen makes of `hilo-tracker/src/shell/browser/more_face.rs`, and `build.ts` of that. */
declare module "hilo-more-wasm" {
  export const imports: WebAssembly.Imports;
  export function bind(exports: WebAssembly.Exports): void;
  export function read(kind: string, cells: any, url: string, elapsed_ms: number): string;
  export function leave(url: string, elapsed_ms: number): string;
  export function read_push(entry: any, url: string, elapsed_ms: number, currency: string, may_ask: boolean): string;
  export function next_act(lines: any, is_leaving: boolean): string;
  export function store_lead(lead: string): void;
  export function forget_leads(): void;
}

/** What wasm-bindgen makes of `hilo-tracker/src/shell/browser/cart_face.rs`, and `build.ts` of that. */
declare module "hilo-cart-wasm" {
  export const imports: WebAssembly.Imports;
  export function bind(exports: WebAssembly.Exports): void;
  /** Gives the answer to `answer` in `cart/page.ts`. */
  export function call(request: string): void;
}

/** Set by `build.ts`. */
declare const HILO_CART_FILE: string;
declare const HILO_CART_WASM_FILE: string;
declare const HILO_CART_WASM_BASE64: string;
declare const HILO_MORE_FILE: string;
declare const HILO_MORE_WASM_FILE: string;
declare const HILO_MORE_WASM_BASE64: string;
/** The capture kinds of the second file, each with the events that the first file listens to. */
declare const HILO_KINDS: Record<keyof typeof import("./capture/index.ts"), string[]>;
declare const HILO_WASM_TEXT: string;
declare const HILO_WASM_MASK: number;
declare const HILO_WASM_BASE64: string;
