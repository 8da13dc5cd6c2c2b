/**
 * Making elements. Text goes in as text; only the shop's own drawings go in as markup.
 */

/** `make("a", { href, class }, child, …)`; a child is an element or text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** A box with one of the shop's drawings. */
export function drawing(svg, kind = "picture") {
  const box = make("div", { class: kind });
  box.innerHTML = svg;
  return box;
}

/** A labeled field that says what is missing. */
export function field(label, attributes) {
  const input = attributes.rows ? make("textarea", attributes) : make("input", attributes);
  return make("label", { class: "field" }, make("span", {}, label), input);
}
