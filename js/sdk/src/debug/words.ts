/**
 * Every word of the debugger, in Spanish and English. Remedies and sentences of codes come as the console has them.
 */
import type { State } from "./events.ts";

/** The texts of one language. */
export interface Words {
  title: string;
  hide: string;
  show: string;
  close: string;
  keep: string;
  events: string;
  none: string;
  consent: string;
  identity: string;
  queue: string;
  signals: string;
  files: string;
  notes: string;
  states: Record<State, string>;
  choices: Record<"granted" | "denied" | "unset", string>;
  /** Who gave a choice. */
  who: Record<"nobody" | "site" | "gpc" | "dnt", string>;
  /** What happened to an event. */
  steps: Record<"held" | "captured" | "changed" | "dropped" | "queued" | "sent" | "unanswered", string>;
  /** The names of facts. */
  facts: Record<
    | "anonymousId" | "session" | "persistence" | "revision" | "waiting" | "bytes" | "oldest" | "answer" | "lost" | "tools" | "told" | "gpc" | "dnt" | "version",
    string
  >;
  places: Record<"local" | "tab" | "memory", string>;
  yes: string;
  no: string;
  unknown: string;
  code: string;
  field: string;
  remedy: string;
  before: string;
  after: string;
  summary: (events: number, refused: number) => string;
}

export const WORDS: Record<"es" | "en", Words> = {
  es: {
    title: "Depurador de hilo",
    hide: "Ocultar",
    show: "Mostrar",
    close: "Cerrar",
    keep: "Mantener abierto en esta pestaña",
    events: "Eventos",
    none: "Todavía no hay eventos.",
    consent: "Consentimiento",
    identity: "Identidad",
    queue: "Cola",
    signals: "Fuentes y señales",
    files: "Archivos",
    notes: "Avisos",
    states: {
      held: "espera permiso",
      queued: "en cola",
      waiting: "espera respuesta",
      accepted: "aceptado",
      notice: "aceptado con aviso",
      rejected: "rechazado",
      dropped: "descartado",
    },
    choices: { granted: "concedido", denied: "denegado", unset: "sin respuesta" },
    who: { nobody: "nadie todavía", site: "el sitio (su banner o hilo.consent)", gpc: "el navegador (GPC)", dnt: "el navegador (Do Not Track)" },
    steps: {
      held: "Espera el consentimiento",
      captured: "Capturado",
      changed: "Cambiado por hilo.use()",
      dropped: "Descartado",
      queued: "En la cola",
      sent: "Enviado; respuesta",
      unanswered: "Enviado; sin respuesta",
    },
    facts: {
      anonymousId: "Id anónimo",
      session: "Sesión",
      persistence: "Se guarda en",
      revision: "Revisión",
      waiting: "Eventos que esperan",
      bytes: "Bytes",
      oldest: "El más antiguo",
      answer: "Última respuesta",
      lost: "Descartados antes",
      tools: "Herramientas encontradas",
      told: "Dicho a las",
      gpc: "Global Privacy Control",
      dnt: "Do Not Track",
      version: "Versión",
    },
    places: { local: "todas las páginas", tab: "esta pestaña", memory: "esta página" },
    yes: "sí",
    no: "no",
    unknown: "ninguno",
    code: "Código",
    field: "Campo",
    remedy: "Remedio",
    before: "Antes de hilo.use()",
    after: "Como se envía",
    summary: (events, refused) => `Eventos: ${events}; rechazados o descartados: ${refused}`,
  },
  en: {
    title: "hilo debugger",
    hide: "Hide",
    show: "Show",
    close: "Close",
    keep: "Keep open in this tab",
    events: "Events",
    none: "No events yet.",
    consent: "Consent",
    identity: "Identity",
    queue: "Queue",
    signals: "Sources and signals",
    files: "Files",
    notes: "Notes",
    states: {
      held: "waits for consent",
      queued: "queued",
      waiting: "waits for an answer",
      accepted: "accepted",
      notice: "accepted with a notice",
      rejected: "rejected",
      dropped: "dropped",
    },
    choices: { granted: "granted", denied: "denied", unset: "unset" },
    who: { nobody: "nobody yet", site: "the site (its banner or hilo.consent)", gpc: "the browser (GPC)", dnt: "the browser (Do Not Track)" },
    steps: {
      held: "Waits for consent",
      captured: "Captured",
      changed: "Changed by hilo.use()",
      dropped: "Dropped",
      queued: "In the queue",
      sent: "Sent; answer",
      unanswered: "Sent; no answer",
    },
    facts: {
      anonymousId: "Anonymous id",
      session: "Session",
      persistence: "Kept for",
      revision: "Revision",
      waiting: "Events that wait",
      bytes: "Bytes",
      oldest: "The oldest",
      answer: "Last answer",
      lost: "Dropped before",
      tools: "Tools found",
      told: "Told at",
      gpc: "Global Privacy Control",
      dnt: "Do Not Track",
      version: "Version",
    },
    places: { local: "all pages", tab: "this tab", memory: "this page" },
    yes: "yes",
    no: "no",
    unknown: "none",
    code: "Code",
    field: "Field",
    remedy: "Remedy",
    before: "Before hilo.use()",
    after: "As it is sent",
    summary: (events, refused) => `Events: ${events}; rejected or dropped: ${refused}`,
  },
};
