/**
 * A page with hilo's banner under a strict content security policy, for the banner's scenarios. In: attributes of the two tags. Out: an
 * opened page, and what its requests and its banner are.
 */
import { startBrowser, startSite, withSnippet } from "../scenario.ts";

/** No inline style and no markup from text: the banner has neither. */
export const CSP = "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; require-trusted-types-for 'script'";
export const PURPOSES = "functional analytics personalization advertising";

/** What a path's query asks of the page. */
const html = (path: string) => {
  const [, lang = "en", notice = "1", more = ""] = /^\/(\w+)\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];
  const tag = `<script async src="/_h/hilo-banner.js" data-purposes="${PURPOSES}" data-controller="Hebra" data-vendors="Meta" data-policy="/cookies" ${decodeURIComponent(more)}></script>`;
  const whole = withSnippet(
    `${tag}<main><h1>${lang === "es" ? "Una tienda" : "A shop"}</h1><p><a id="one" href="#one">One</a></p><p><a id="last" href="#last">Last</a></p></main>
<footer><button type="button" id="settings" data-hilo-consent>Privacy settings</button></footer>`,
    `data-notice="${notice}" data-capture=""`,
  ).replace("<meta", `<html lang="${lang}"><meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width, initial-scale=1"><meta`);
  // The tracker comes without the stub, and later than the banner.
  return more === "nostub" ? whole.replace(/<script>.*?<\/script>/s, "").replace("async src=\"/_h/hilo.js", "defer src=\"/_h/hilo.js") : whole;
};

export const browser = await startBrowser();
export const site = await startSite(html, CSP);

/** Opens a page in a browser of its own, once its banner asks. `details` are those of Playwright's context. */
export async function visit(path: string, details: Parameters<typeof browser.newContext>[0] = {}, init?: () => void) {
  const context = await browser.newContext(details);
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error: Error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(site.url + path);
  await page.waitForFunction(() => (window as any).hilo?.banner && !(window as any).hilo.q);
  return { page, context, faults };
}

export type Page = Awaited<ReturnType<typeof visit>>["page"];

export const choices = (page: Page) =>
  page.evaluate((names) => names.split(" ").map((name) => (window as any).hilo.consent.state()[name]), PURPOSES);

/** What has the focus, by its part or its name, in the banner or in the page. */
export const focused = (page: Page) =>
  page.evaluate(() => {
    const outer = document.activeElement!;
    const element = outer.shadowRoot?.activeElement ?? outer;
    return element.getAttribute("part") ?? element.getAttribute("name") ?? (element.id || element.tagName);
  });
