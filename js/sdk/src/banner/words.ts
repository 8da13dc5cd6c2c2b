/**
 * Every word of the banner, in Spanish and English. In: a language, the site's own texts, names to fill in. Out: the texts to show.
 *
 * A purpose's text is its name, a colon, and what the purpose is for.
 */
import type { BannerTexts } from "../types.ts";

const WORDS: Record<"es" | "en", BannerTexts> = {
  es: {
    title: "Tu privacidad, tu elección",
    body: "{controller} quiere usar cookies y tecnologías parecidas para los fines que ves aquí. Puedes aceptarlos, rechazarlos o elegir uno a uno. Solo lo necesario funciona sin tu permiso.",
    accept: "Aceptar todo",
    reject: "Rechazar todo",
    choose: "Elegir",
    save: "Guardar mi elección",
    back: "Volver",
    essential: "Necesarias: tu cesta, la seguridad y recordar esta elección. Siempre activas.",
    functional: "Funcionales: recordar cosas que el sitio decide por ti, como productos vistos.",
    analytics: "Medición: saber qué páginas se usan y mejorar la tienda.",
    personalization: "Personalización: mostrarte contenido según lo que haces aquí.",
    advertising: "Publicidad: medir anuncios y enseñarte anuncios según tu actividad, con {vendors}.",
    sale_share: "Venta o cesión de datos a terceros.",
    withdraw: "Puedes cambiar o retirar tu elección cuando quieras en «{link}».",
    link: "Configurar privacidad",
    gpc: "Tu navegador pide no vender ni compartir tus datos: lo respetamos.",
    more: "Más información y lista completa: política de cookies.",
    messages: "Mensajes",
    saved: "Elección guardada.",
    failed: "Tus fines están guardados, pero no pudimos apuntarte a los mensajes. Inténtalo de nuevo.",
  },
  en: {
    title: "Your privacy, your choice",
    body: "{controller} would like to use cookies and similar technologies for the purposes shown here. You can accept them, reject them or choose one by one. Only what is necessary works without your permission.",
    accept: "Accept all",
    reject: "Reject all",
    choose: "Choose",
    save: "Save my choice",
    back: "Back",
    essential: "Necessary: your cart, security and remembering this choice. Always on.",
    functional: "Functional: remembering things the site decides for you, such as products you viewed.",
    analytics: "Measurement: learning which pages are used and improving the shop.",
    personalization: "Personalisation: showing content based on what you do here.",
    advertising: "Advertising: measuring ads and showing ads based on your activity, with {vendors}.",
    sale_share: "Sale or sharing of data with third parties.",
    withdraw: 'You can change or withdraw your choice at any time under "{link}".',
    link: "Privacy settings",
    gpc: "Your browser asks not to sell or share your data: we respect it.",
    more: "More information and full list: cookie policy.",
    messages: "Messages",
    saved: "Choice saved.",
    failed: "Your purposes are saved, but we could not sign you up for messages. Please try again.",
  },
};

/** The texts in `lang`, and the language that they are in. A language that hilo has not needs the site's own texts, and is English without. */
export function words(lang: string, own: Partial<BannerTexts> = {}, names: Record<"controller" | "vendors", string>) {
  const tongue = lang.slice(0, 2).toLowerCase();
  const known = tongue === "es" ? "es" : "en";
  const texts = { ...WORDS[known] };
  for (const [key, text] of Object.entries(own)) if (text) texts[key as keyof BannerTexts] = text;
  const filled = { ...names, link: texts.link };
  for (const key of Object.keys(texts) as (keyof BannerTexts)[]) {
    // A site without vendors shows the sentence without them: ", with {vendors}" goes.
    texts[key] = (names.vendors ? texts[key] : texts[key].replace(/,? \S+ \{vendors\}/, "")).replace(/\{(controller|vendors|link)\}/g, (_, name: keyof typeof filled) => filled[name]);
  }
  return { texts, lang: Object.keys(own).length ? lang : known };
}

/** A purpose's name, and what it is for. */
export function parts(text: string): [name: string, reason: string] {
  const colon = text.indexOf(":");
  if (colon < 0) return [text.replace(/\.$/, ""), ""];
  const reason = text.slice(colon + 1).trim();
  return [text.slice(0, colon), reason.charAt(0).toUpperCase() + reason.slice(1)];
}
