/**
 * The panel as elements. In: words, acts. Out: the host element, and what shows rows and facts in it.
 *
 * A row that is open stays open while its event goes on: elements are filled again, not made again.
 */
import { make } from "../make.ts";
import type { CapturedEvent } from "../types.ts";
import type { Row } from "./events.ts";
import { ID_MAX, shortened, type Fact } from "./page.ts";
import { STYLE } from "./style.ts";
import type { Words } from "./words.ts";

/** What stands in the place of a value that a visitor typed, or that is about the person. */
const HIDDEN = "•••";
/** The names of values that stand for a person or a device. */
const IDS = /^(anonymousId|userId|groupId)$/;

/** What the developer can do. */
export interface Acts {
  close(): void;
  isKept(): boolean;
  keepOpen(wish: boolean): void;
}

export type Panel = ReturnType<typeof panel>;

/** Puts names and values into a list of them. */
const fill = (list: HTMLElement, facts: Fact[]) => list.replaceChildren(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));

/**
 * An event as text; `own` is the same event as it was captured. Values of forms and traits are hidden, and ids are cut, because anybody who
 * looks over the shoulder would read them.
 */
function written(event: CapturedEvent, own: CapturedEvent): string {
  const hide = (values: object = {}) => Object.fromEntries(Object.keys(values).map((name) => [name, HIDDEN]));
  const shown = {
    ...event,
    ...([own, event].some(({ event }) => event === "Lead Submitted") && { properties: hide(event.properties) }),
    ...(event.traits && { traits: hide(event.traits) }),
  };
  return JSON.stringify(shown, (name, value) => (IDS.test(name) && typeof value === "string" ? shortened(value, ID_MAX) : value), 2);
}

/** Makes the panel. */
export function panel(words: Words, lang: string, acts: Acts) {
  const status = make("p", { role: "status" });
  const section = (title: string, isOpen: boolean, ...children: Node[]) => make("details", isOpen ? { open: "" } : {}, make("summary", {}, make("h3", {}, title)), ...children);
  const [consent, identity, queue, signals, files] = [make("dl", {}), make("dl", {}), make("dl", {}), make("dl", {}), make("dl", {})];
  const list = make("ol", {});
  const none = make("p", { class: "note" }, words.none);
  const notes = make("ul", {});
  const noted = section(words.notes, true, notes);
  const box: HTMLInputElement = make("input", { type: "checkbox", change: () => acts.keepOpen(box.checked) });
  box.checked = acts.isKept();
  const body = make(
    "div",
    { class: "body", id: "body" },
    noted,
    section(words.events, true, none, list),
    section(words.consent, true, consent),
    section(words.identity, false, identity),
    section(words.queue, false, queue),
    section(words.signals, false, signals),
    section(words.files, false, files),
    make("label", {}, box, words.keep),
  );
  const toggle = make(
    "button",
    {
      type: "button",
      "aria-expanded": "true",
      "aria-controls": "body",
      click() {
        body.hidden = !body.hidden;
        toggle.setAttribute("aria-expanded", String(!body.hidden));
        toggle.textContent = body.hidden ? words.show : words.hide;
      },
    },
    words.hide,
  );
  const close = make("button", { type: "button", click: () => acts.close() }, words.close);
  const host = make("div", { lang, "data-hilo-private": "" });
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  root.append(make("section", { role: "region", "aria-labelledby": "title" }, make("header", {}, make("h2", { id: "title" }, words.title), status, toggle, close), body));

  return {
    host,
    facts: { consent, identity, queue, signals, files },
    fill,
    /** Shows rows, newest first, notes, and the numbers of both in one sentence. */
    show(rows: Row[], told: string[]) {
      none.hidden = rows.length > 0;
      place(list, rows, words);
      noted.hidden = told.length === 0;
      notes.replaceChildren(...told.map((note) => make("li", { class: "note" }, note)));
      const refused = rows.filter(({ state }) => state === "rejected" || state === "dropped").length;
      const text = words.summary(rows.length, refused);
      // A screen reader repeats a status that is written again.
      if (status.textContent !== text) status.textContent = text;
    },
  };
}

/** The element of each row that was shown. */
const elements = new WeakMap<Row, { item: HTMLElement; shown: string; fill(row: Row): void }>();

function place(list: HTMLElement, rows: Row[], words: Words) {
  const items = rows.map((row) => {
    const one = elements.get(row) ?? element(words);
    elements.set(row, one);
    const shown = `${row.what} ${row.state} ${row.steps.length}`;
    if (one.shown !== shown) one.fill(row);
    one.shown = shown;
    return one.item;
  });
  // Moving an element would take the focus from it, so only new ones are put in, and old ones taken away.
  for (const item of [...list.children]) if (!items.includes(item as HTMLElement)) item.remove();
  items.forEach((item, i) => list.children[i] !== item && list.insertBefore(item, list.children[i] ?? null));
}

/** The element of one event. */
function element(words: Words) {
  const [what, when, state, rest] = [make("b", {}), make("time", {}), make("span", {}), make("div", {})];
  const item = make("li", {}, make("details", {}, make("summary", {}, what, when, state), rest));
  const clock = (at: number) => new Date(at).toTimeString().slice(0, 8);
  return {
    item,
    shown: "",
    fill(row: Row) {
      what.textContent = row.what;
      when.textContent = clock(row.at);
      when.dateTime = new Date(row.at).toISOString();
      state.textContent = [words.states[row.state], row.faults[0]?.code].filter(Boolean).join(": ");
      state.className = `state ${row.state}`;
      const why = make("dl", {});
      fill(why, row.faults.flatMap(({ code, field, message, remedy }): Fact[] => [
        [words.code, code],
        ...(field ? [[words.field, field] as Fact] : []),
        ...(message && message !== remedy ? [["", message] as Fact] : []),
        [words.remedy, remedy],
      ]));
      const way = make("dl", {});
      fill(way, row.steps.map(({ at, step, more }): Fact => [clock(at), [words.steps[step], more].filter(Boolean).join(": ")]));
      rest.replaceChildren(why, way, ...texts(row, words));
    },
  };
}

/** The event as it is sent, and before the site changed it where it did. */
function texts({ event, own }: Row, words: Words): Node[] {
  const block = (title: string, one: CapturedEvent) => [make("h4", {}, title), make("pre", {}, written(one, own ?? one))];
  const isChanged = own && own !== event;
  return [...(isChanged ? block(words.before, own) : []), ...(event ? block(words.after, event) : [])];
}
