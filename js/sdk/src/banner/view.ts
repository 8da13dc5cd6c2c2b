/**
 * The banner's two layers as elements. In: texts, purposes, what each button does. Out: the host element with its parts.
 *
 * The first layer is a region of the page. The second is a native dialog. They stand in a shadow root, so that no style of the site hides
 * an answer. No markup is parsed, and no element has a style attribute.
 */
import { make } from "../make.ts";
import type { BannerTexts, BannerOptions, Purpose } from "../types.ts";
import { STYLE } from "./style.ts";
import { parts } from "./words.ts";

/** What the visitor can do. */
export interface Acts {
  accept(): void;
  reject(): void;
  choose(): void;
  save(): void;
  back(): void;
}

export type View = ReturnType<typeof view>;

/** Makes both layers, hidden. */
export function view(texts: BannerTexts, purposes: Purpose[], options: BannerOptions, acts: Acts) {
  const button = (act: keyof Acts) => make("button", { type: "button", part: act, click: () => acts[act]() }, texts[act]);
  const more = () => (options.policy ? [make("p", {}, make("a", { href: options.policy, part: "more" }, texts.more))] : []);
  const gpc = () => ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true ? [make("p", { part: "gpc" }, texts.gpc)] : []);

  // A screen reader announces a status only if the status was there, empty, before its text.
  const status = make("p", { class: "unseen", role: "status" });
  const first = make(
    "section",
    { role: "region", "aria-labelledby": "title", part: "banner", hidden: "" },
    make("h2", { id: "title" }, texts.title),
    make("p", { id: "body" }, texts.body),
    // The purposes by name: a visitor who answers here knows for what.
    make("p", { part: "purposes" }, purposes.map((purpose) => parts(texts[purpose])[0]).join(", ") + "."),
    make("p", {}, texts.withdraw),
    ...gpc(),
    ...more(),
    make("div", { class: "answers" }, button("reject"), button("accept"), button("choose")),
  );

  /** A box with its name and text; both are in the label, so that all of it can be clicked. */
  const row = (name: string, [title, reason]: [string, string]) => {
    const box = make("input", { type: "checkbox", name, "aria-labelledby": `${name}-name`, ...(reason && { "aria-describedby": `${name}-text` }) });
    const label = make("label", { class: "row" }, box, make("span", {}, make("b", { id: `${name}-name` }, title), ...(reason ? [make("small", { id: `${name}-text` }, reason)] : [])));
    return { box, label };
  };
  const rows = purposes.map((purpose) => ({ purpose, ...row(purpose, parts(texts[purpose])) }));
  // The visitor agrees to the whole text, so the whole text is the box's name.
  const letters = (options.optIns ?? []).map((optIn) => ({ optIn, ...row(`optin-${optIn.channel}`, [optIn.text, ""]) }));
  const [always, when] = parts(texts.essential);
  const heading = make("h2", { id: "choices", tabindex: "-1", autofocus: "" }, texts.title);
  const failed = make("p", { class: "failed", role: "alert", hidden: "" });
  const second = make(
    "dialog",
    { "aria-labelledby": "choices", part: "dialog" },
    heading,
    ...gpc(),
    make(
      "fieldset",
      {},
      make("legend", { class: "unseen" }, texts.choose),
      make("div", { class: "row fixed" }, make("span", {}, make("b", {}, always), make("small", {}, when))),
      ...rows.map(({ label }) => label),
    ),
    ...(letters.length ? [make("fieldset", {}, make("legend", {}, texts.messages), ...letters.map(({ label }) => label))] : []),
    failed,
    ...more(),
    make("div", { class: "answers" }, button("reject"), button("accept"), button("save"), button("back")),
  );

  const host = document.createElement("hilo-banner");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  root.append(status, first, second);
  return { host, status, first, second, heading, rows, letters, failed };
}
