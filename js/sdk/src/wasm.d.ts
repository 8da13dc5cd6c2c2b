/**
 * What wasm-bindgen makes of `hilo-tracker/src/face.rs`; `build.ts` says where it lies.
 */
declare module "hilo-wasm" {
  export default function init(module?: { module_or_path: never }): Promise<unknown>;
  export class Core {
    constructor(
      key: string,
      endpoint: string,
      notice: string,
      pages: boolean,
      forms: boolean,
      strict: boolean,
      onConsent: () => void,
    );
    begin(): void;
    page(name: string, properties: string, at: number): void;
    track(event: string, properties: string, at: number): void;
    identify(user: string, traits: string, at: number): void;
    group(id: string, traits: string, at: number): void;
    reset(): void;
    anonymous_id(): string | undefined;
    session_id(): string | undefined;
    choose(purposes: string, granted: boolean): void;
    withdraw(): void;
    choices(): string;
    revision(): number;
    navigated(): void;
    flush(): void;
    debug(on: boolean): void;
    destroy(): void;
  }
}

/** Set by `build.ts`. */
declare const HILO_WASM_FILE: string;
declare const HILO_WASM_BASE64: string;
