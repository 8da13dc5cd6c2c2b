/**
 * The page of the stub server: per vendor what it received, what it has, what it had to refuse, and buttons that spoil its answers.
 *
 * The server's state → HTML, in Spanish or English, for a phone's width too. Text of requests is never markup here.
 */
import { FAULTS, type FaultName } from "./faults.ts";
import type { StubsState } from "./server.ts";
import type { Received } from "./vendor.ts";

export type Language = "en" | "es";

const WORDS = {
  en: {
    title: "Vendors on this machine",
    about: "hilo sends here in place of the real services. Nothing leaves this machine.",
    refresh: "Refresh",
    hour: "One hour later",
    received: "received",
    refused: "refused",
    nothing: "Nothing yet.",
    taken: "What the vendor has taken, in order",
    latest: "The latest requests, newest first",
    state: "What the vendor has",
    violations: "What the vendor would refuse",
    spoil: "Spoil the next answer",
    due: "due",
    strays: "Requests to hosts that no stub answers for",
    fault: "fault",
    unkept: "not kept",
    clock: "The vendors' clock",
    anyHost: "any host",
    faults: {
      status: "a status",
      timeout_before: "no answer, nothing kept",
      timeout_after: "no answer, but kept",
      drop_before: "a break, nothing kept",
      drop_after: "a break, but kept",
      truncated_json: "half an answer",
      html_page: "a proxy's page",
      empty_200: "an empty 200",
      no_content: "a 204",
      redirect: "a redirect",
      large_body: "5 MB",
      slow_drip: "drop by drop",
      unauthorized: "a shut door (401)",
    },
  },
  es: {
    title: "Servicios en este equipo",
    about: "hilo envía aquí, y no a los servicios reales. Nada sale de este equipo.",
    refresh: "Actualizar",
    hour: "Una hora después",
    received: "recibidas",
    refused: "rechazadas",
    nothing: "Nada todavía.",
    taken: "Lo que el servicio ha aceptado, en orden",
    latest: "Las últimas peticiones, la más nueva primero",
    state: "Lo que tiene el servicio",
    violations: "Lo que el servicio rechazaría",
    spoil: "Estropear la próxima respuesta",
    due: "pendiente",
    strays: "Peticiones a servidores por los que nadie responde",
    fault: "fallo",
    unkept: "no guardada",
    clock: "El reloj de los servicios",
    anyHost: "cualquier servidor",
    faults: {
      status: "un estado",
      timeout_before: "sin respuesta ni rastro",
      timeout_after: "sin respuesta, pero guardada",
      drop_before: "un corte, sin rastro",
      drop_after: "un corte, pero guardada",
      truncated_json: "media respuesta",
      html_page: "la página de un proxy",
      empty_200: "un 200 vacío",
      no_content: "un 204",
      redirect: "una redirección",
      large_body: "5 MB",
      slow_drip: "gota a gota",
      unauthorized: "puerta cerrada (401)",
    },
  },
} as const;

type Words = (typeof WORDS)[Language];

/** How many requests of a vendor are shown. */
const SHOWN = 25;
/** The most characters of a person's id: the rest of a hash tells nobody anything. */
const ID_SHOWN = 36;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; overflow-wrap: anywhere; padding: 1rem; }
section { border: 1px solid #8886; border-radius: 8px; margin: 1rem 0; padding: .5rem 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin: .3rem 0; }
pre { overflow-wrap: anywhere; white-space: pre-wrap; font-size: .8rem; margin: .3rem 0; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
summary, button { cursor: pointer; min-height: 2.2rem; }
button { border: 1px solid #888; border-radius: 6px; background: none; color: inherit; margin: .15rem; padding: 0 .6rem; }
.bad { color: #b3261e; font-weight: 600; } .quiet { opacity: .75; }
@media (prefers-color-scheme: dark) { .bad { color: #ff8a80; } }
`;

/** Buttons post their own call and show the page again. */
const SCRIPT = `
document.addEventListener("click", async ({ target }) => {
  const { path, call } = target.dataset ?? {};
  if (!path) return;
  await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: call });
  location.reload();
});`;

/** The whole page. */
export function page(state: StubsState, language: Language): string {
  const words = WORDS[language];
  const strays = state.strays.length === 0 ? "" : `<section><h2 class="bad">${words.strays}</h2><pre>${escaped(state.strays.join("\n"))}</pre></section>`;
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><title>${words.title}</title><style>${STYLE}</style></head><body><h1>${words.title}</h1><p>${words.about}</p>
<p><span class="quiet">${words.clock}: <time datetime="${state.now}">${minute(state.now)} UTC</time></span> <a href="/__stubs/">${words.refresh}</a> ${button("/__stubs/clock", { advanceMs: 3_600_000 }, words.hour)}</p>
<nav>${state.vendors.map((vendor) => link(vendor)).join("\n")}</nav>
<main>${state.vendors.map((vendor) => section(vendor, words)).join("\n")}</main>${strays}<script>${SCRIPT}</script></body></html>`;
}

/** A vendor's name, which leads to its section. */
function link({ kind, received, violations }: StubsState["vendors"][number]): string {
  return `<span><a href="#${kind}">${kind}</a> ${violations.length === 0 ? received.length : `<span class="bad">${received.length}</span>`}</span>`;
}

/** Violations as text: what is wrong with a request stands below it. */
function listed(violations: StubsState["vendors"][number]["violations"]): string {
  const heads = violations.map(({ at, request }) => `${at} ${request}`);
  return violations.map(({ finding }, at) => `${heads[at] === heads[at - 1] ? "" : `${heads[at]}\n`}  ${finding}`).join("\n");
}

function section({ kind, hosts, received, violations, faults, arrived, state }: StubsState["vendors"][number], words: Words): string {
  const refused = violations.length === 0 ? "" : `, <span class="bad">${violations.length} ${words.refused}</span>`;
  const due = faults.map(({ fault, status, count }) => `${words.faults[fault]}${status ? ` ${status}` : ""} ×${count}`).join(", ");
  const spoilers = (Object.keys(FAULTS) as FaultName[]).map((fault) => button("/__stubs/faults", { vendor: kind, fault }, words.faults[fault]));
  const host = hosts === "^.+$" ? words.anyHost : hosts.replace(/[\^$\\]/g, "");
  return `<section id="${kind}"><h2>${kind}</h2>
<p>${received.length} ${words.received}${refused} <span class="quiet">${escaped(host)}</span></p>
${violations.length === 0 ? "" : folded(words.violations, listed(violations), true)}
${arrived ? folded(words.taken, arrived.map(({ what, who }) => `${what} · ${who.length > ID_SHOWN ? `${who.slice(0, ID_SHOWN)}…` : who}`).join("\n") || words.nothing) : ""}
<details><summary>${words.latest}</summary>${received.length === 0 ? words.nothing : received.slice(-SHOWN).reverse().map((one) => request(one, words)).join("")}</details>
${folded(words.state, JSON.stringify(state, null, 2))}
<details><summary>${words.spoil}${due ? ` <span class="bad">${words.due}: ${escaped(due)}</span>` : ""}</summary>${spoilers.join("")}</details></section>`;
}

function request({ at, method, url, headers, body, status, fault, isCommitted }: Received, words: Words): string {
  const what = [fault && `${words.fault}: ${fault}`, !isCommitted && words.unkept].filter(Boolean).join(", ");
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return folded(`${second(at)} ${method} ${url} ${status || ""} ${what}`, [at, ...fields, "", body].join("\n"));
}

/** `2026-11-24T10:00:07.123Z` → `2026-11-24 10:00`, and `10:00:07`. */
const minute = (at: string) => at.slice(0, 16).replace("T", " ");
const second = (at: string) => at.slice(11, 19);

function folded(title: string, text: string, isOpen = false): string {
  return `<details${isOpen ? " open" : ""}><summary>${escaped(title)}</summary><pre>${escaped(text)}</pre></details>`;
}

function button(path: string, call: object, label: string): string {
  return `<button type="button" data-path="${path}" data-call="${escaped(JSON.stringify(call))}">${label}</button>`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string) => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
