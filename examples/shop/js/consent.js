/**
 * The shop's own consent banner. The banner asks, and hilo stores the answer and obeys it.
 *
 * Both answers have the same size and the same place, and need one click each. The banner is the first stop of the Tab key. It never
 * takes the focus by itself; a status line announces it. After the answer the focus is where it was before. Escape closes a banner
 * that was opened to change an answer, and changes nothing.
 */
import { make } from "./dom.js";
import { t } from "./words.js";

const PURPOSES = ["functional", "analytics", "personalization", "advertising"];

/** Tells hilo the answer. */
function tell(granted) {
  const denied = PURPOSES.filter((purpose) => !granted.includes(purpose));
  if (granted.length === 0) window.hilo?.consent.withdraw();
  if (denied.length > 0 && granted.length > 0) window.hilo?.consent.deny(...denied);
  if (granted.length > 0) window.hilo?.consent.grant(...granted);
}

/** The page leaves room below itself, so that the banner covers nothing for good. A hidden banner has no height. */
function leaveRoom(element) {
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--banner-height", `${element.offsetHeight}px`);
  }).observe(element);
}

/** Remembers the element that had the focus before it came into `element`, if any had it, and gives the focus back. */
function focusBefore(element) {
  let before = null;
  element.addEventListener("focusin", ({ relatedTarget }) => {
    if (relatedTarget && !element.contains(relatedTarget)) before = relatedTarget;
  });
  return {
    was: (origin) => (before = origin),
    giveBack() {
      // A visitor who came to the banner from nowhere goes on at the first link of the page, and the page stays where it is.
      if (before?.isConnected) before.focus();
      else document.querySelector("a").focus({ preventScroll: true });
    },
  };
}

/** The banner. It is hidden until hilo tells that the visitor has not answered yet. */
export function banner() {
  /** Whether the visitor opened the banner, and has answered before. */
  let mayEscape = false;
  // A screen reader announces a status only if the status was there, empty, before its text.
  const status = make("p", { class: "unseen", role: "status" });
  const boxes = PURPOSES.map((purpose) => make("input", { type: "checkbox", name: purpose, id: "purpose-" + purpose }));
  const choices = make(
    "div",
    { class: "choices", hidden: true },
    ...boxes.map((box, i) => make("label", { for: box.id }, box, t[PURPOSES[i]])),
    make("button", { type: "button", "data-consent": "save", onclick: () => answer(boxes.filter((box) => box.checked).map((box) => box.name)) }, t.save),
  );
  const element = make(
    "section",
    { class: "consent", role: "region", "aria-labelledby": "consent-title", "aria-describedby": "consent-text", hidden: true },
    make("h2", { id: "consent-title" }, t.cookiesTitle),
    make("p", { id: "consent-text" }, t.cookiesText),
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
    tell(granted);
    close();
  }

  function close() {
    status.textContent = "";
    const hadFocus = element.contains(document.activeElement);
    element.hidden = true;
    if (hadFocus) focus.giveBack();
    focus.was(null);
    mayEscape = false;
  }

  addEventListener("keydown", ({ key }) => key === "Escape" && mayEscape && close());

  function open({ currentTarget }) {
    const said = window.hilo?.consent.state?.();
    for (const box of boxes) box.checked = said?.[box.name] === "granted";
    mayEscape ||= element.hidden;
    element.hidden = false;
    element.querySelector("button").focus();
    // Safari gives a button no focus when it is clicked.
    focus.was(currentTarget);
  }

  const focus = focusBefore(element);
  leaveRoom(element);

  // Without the tracker nothing is measured, so the visitor is not asked.
  window.hilo?.ready((hilo) => {
    const said = hilo.consent.state();
    if (PURPOSES.some((purpose) => said[purpose] !== "unset")) return;
    element.hidden = false;
    status.textContent = `${t.cookiesTitle} ${t.cookiesText}`;
  });
  return { elements: [status, element], open };
}
