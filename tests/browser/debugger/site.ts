/**
 * A page under a strict content security policy, for the scenarios of the debugger. Its shadow roots are opened for the test where it says so.
 * In: a language and the tag's attributes. Out: an opened page, and what its debugger shows.
 */
import { startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

/** No inline style and no markup from text: the debugger has neither. */
const CSP = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; require-trusted-types-for 'script'";

const html = (path: string) => {
  const [, lang = "en", attributes = ""] = path.split("/");
  return withSnippet(
    `<main><h1>${lang === "es" ? "Una tienda" : "A shop"}</h1><p><a id="one" href="#one">One</a></p><button id="act">Act</button>
<form data-hilo-lead id="lead"><label>Mail <input name="email" data-hilo-value="email"></label><button>Send</button></form></main>`,
    decodeURIComponent(attributes),
  ).replace("<meta", `<html lang="${lang}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta`);
};

export const browser = await startBrowser();
export const site = await startSite(html, CSP);

/** Where the debugger stands. */
export const PANEL = "[data-hilo-private] section";

interface Visit {
  /** Whether the source lets an address open the debugger. A promise lets the collector answer later. */
  isAllowed?: boolean | Promise<boolean>;
  /** Whether the test can look into the closed shadow root. */
  isOpen?: boolean;
  /** Runs before the page's scripts. */
  init?: string;
  details?: Parameters<typeof browser.newContext>[0];
}

/** Opens a page, and waits for the tracker. Nobody but the debugger asks for settings. */
export async function visit(path: string, { isAllowed = false, isOpen = true, init = "", details = {} }: Visit = {}) {
  const context = await browser.newContext(details);
  if (isOpen) {
    await context.addInitScript(() => {
      const attach = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (init) {
        return attach.call(this, { ...init, mode: "open" });
      };
    });
  }
  await context.addInitScript(init);
  const page = await context.newPage();
  const asked: string[] = [];
  const faults: string[] = [];
  const told: string[] = [];
  await context.route("**/settings", async (route: Json) => {
    asked.push(route.request().url());
    return route.fulfill({ json: { debug: await isAllowed } });
  });
  page.on("pageerror", (error: Error) => faults.push(error.message));
  page.on("console", (message) => (message.type() === "error" ? faults : told).push(message.text()));
  await page.goto(site.url + path);
  await page.waitForFunction(() => !(window as any).hilo.q);
  return { page, context, asked, faults, told };
}

export type Page = Awaited<ReturnType<typeof visit>>["page"];

/** The text of each row: its name, its state and its code. */
export const rows = (page: Page): Promise<string[]> =>
  page.locator(`${PANEL} li summary`).evaluateAll((all: Element[]) =>
    all.map((one) => `${one.querySelector("b")!.textContent} | ${one.querySelector(".state")!.textContent}`),
  );

/** Resolves once the panel shows a row with this text. */
export const shows = (page: Page, text: string) => page.locator(`${PANEL} li summary`, { hasText: text }).first().waitFor();

/** The panel's section with this heading, opened. */
export async function section(page: Page, heading: string): Promise<string> {
  const details = page.locator(`${PANEL} .body > details`).filter({ has: page.getByRole("heading", { name: heading, exact: true }) });
  if (!(await details.evaluate((it: Element) => (it as HTMLDetailsElement).open))) await details.locator("summary").first().click();
  return details.innerText();
}
