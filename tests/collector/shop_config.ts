/**
 * A small `hilo.toml` as a deployed shop has it, for specs that need other keys or tables than the built-in file.
 * Keys and tables in → the file's text. Uploads nothing.
 */

/** What a spec needs besides a page's source called `shop` and a backend's with the key `sk_dev_backend`. */
export interface ShopConfig {
  /** Keys of the page's source besides `wk_shop`, as TOML writes them. */
  keys?: string[];
  /** More tables. */
  tables?: string;
}

/** The text of the file. */
export function shopConfig({ keys = [], tables = "" }: ShopConfig = {}): string {
  return `
[project]
controller = "Example Shop"

[[source]]
name = "shop"
kind = "browser"
keys = [${['"wk_shop"', ...keys].join(", ")}]
origins = ["https://shop.example"]

[[source]]
name = "backend"
kind = "server"
keys = [{ sha256 = "85e11d562f804d06514402310d04e3af66b105a2c2e3a664c626c18a695defd9" }]
consent_basis = { basis = "contract", purposes = ["analytics"] }

${tables}
`;
}
