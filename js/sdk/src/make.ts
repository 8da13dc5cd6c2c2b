/**
 * Elements without markup: no text is parsed, and no element has a style attribute, so every content security policy allows them.
 */

/** Makes an element. A property that is text is an attribute; a function listens. */
export function make<Name extends keyof HTMLElementTagNameMap>(name: Name, details: Record<string, string | (() => void)>, ...children: (Node | string)[]) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(details)) {
    if (typeof value === "string") element.setAttribute(key, value);
    else element.addEventListener(key, value);
  }
  element.append(...children);
  return element;
}
