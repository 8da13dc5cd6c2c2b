/**
 * The shop's own consent banner. The banner asks, and hilo stores the answer and obeys it.
 *
 * Both answers have the same size and the same place, and need one click each.
 */
import { make } from "./dom.js";
import { t } from "./words.js";

const PURPOSES = ["functional", "analytics", "personalization", "advertising"];

/** The banner. It is hidden until hilo tells that the visitor has not answered yet. */
export function banner() {
  const boxes = PURPOSES.map((purpose) => make("input", { type: "checkbox", name: purpose, id: "purpose-" + purpose }));
  const choices = make(
    "div",
    { class: "choices", hidden: true },
    ...boxes.map((box, i) => make("label", { for: box.id }, box, t[PURPOSES[i]])),
    make("button", { type: "button", "data-consent": "save", onclick: () => answer(boxes.filter((box) => box.checked).map((box) => box.name)) }, t.save),
  );
  const element = make(
    "section",
    { class: "consent", role: "dialog", "aria-labelledby": "consent-title", hidden: true },
    make("h2", { id: "consent-title" }, t.cookiesTitle),
    make("p", {}, t.cookiesText),
    make(
      "div",
      { class: "answers" },
      make("button", { type: "button", "data-consent": "accept", onclick: () => answer(PURPOSES) }, t.accept),
      make("button", { type: "button", "data-consent": "reject", onclick: () => answer([]) }, t.reject),
      make("button", { type: "button", class: "quiet", "data-consent": "choose", "aria-expanded": "false", onclick: choose }, t.choose),
    ),
    choices,
  );

  function choose(event) {
    choices.hidden = !choices.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!choices.hidden));
  }

  function answer(granted) {
    const denied = PURPOSES.filter((purpose) => !granted.includes(purpose));
    if (granted.length === 0) window.hilo?.consent.withdraw();
    if (denied.length > 0 && granted.length > 0) window.hilo?.consent.deny(...denied);
    if (granted.length > 0) window.hilo?.consent.grant(...granted);
    element.hidden = true;
  }

  function open() {
    const said = window.hilo?.consent.state?.();
    for (const box of boxes) box.checked = said?.[box.name] === "granted";
    element.hidden = false;
    element.querySelector("button").focus();
  }

  // Without the tracker nothing is measured, so the visitor is not asked.
  window.hilo?.ready((hilo) => {
    const said = hilo.consent.state();
    if (PURPOSES.every((purpose) => said[purpose] === "unset")) element.hidden = false;
  });
  return { element, open };
}
