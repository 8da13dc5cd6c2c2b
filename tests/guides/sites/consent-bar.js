/** A consent tool, as far as a guide's site needs one: it asks until the visitor has answered, and its button asks again. */
function consentBar(key, answer) {
  const button = (name, act) => Object.assign(document.createElement("button"), { type: "button", textContent: name, onclick: act });
  const choose = (word) => {
    localStorage.setItem(key, word);
    bar.remove();
    answer(word);
  };
  const bar = document.createElement("aside");
  bar.append(button("Accept all", () => choose("yes")), button("Reject all", () => choose("no")));
  addEventListener("DOMContentLoaded", () => {
    document.body.append(button("Privacy settings", () => document.body.append(bar)));
    if (!localStorage.getItem(key)) document.body.append(bar);
  });
  return localStorage.getItem(key);
}
