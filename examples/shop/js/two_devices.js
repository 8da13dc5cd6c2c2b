/**
 * Two phones of one signed-in person, side by side, each with a switch for its network. Each phone shows the acts of the other phone;
 * acts without a network arrive when the network is back.
 */
import { make } from "./dom.js";
import { frame } from "./frame.js";
import { lang, t } from "./words.js";

/** A new person on every visit. The address names the person, so that a reload goes on with the same cart. */
const address = new URL(location.href);
const user = address.searchParams.get("user") ?? `cust_${crypto.randomUUID().slice(0, 8)}`;
address.searchParams.set("user", user);
history.replaceState(null, "", address);

/** The other name of this machine: to a browser, another site. */
const hosts = [location.hostname, location.hostname === "localhost" ? "127.0.0.1" : "localhost"];

function device(host, name) {
  const src = new URL(location.href);
  src.hostname = host;
  src.pathname = "/phone/";
  src.search = `?user=${encodeURIComponent(user)}&lang=${lang}`;
  const screen = make("iframe", { src: src.href, title: name, allow: "" });
  const input = make("input", { type: "checkbox", role: "switch", checked: true, "data-network": name });
  const shell = make(
    "section",
    { class: "device", "aria-label": name },
    make("div", { class: "phone" }, screen),
    make("label", { class: "network" }, input, make("span", {}, `${name}: ${t.network}`)),
  );
  const one = { shell, screen, input, lines: "", word: "offline" };
  one.connect = (isOn) => {
    input.checked = isOn;
    shell.classList.toggle("is-offline", !isOn);
    screen.contentWindow.postMessage({ offline: !isOn }, src.origin);
    showVerdict();
  };
  input.addEventListener("change", () => one.connect(input.checked));
  return one;
}

const devices = [device(hosts[0], t.phoneOne), device(hosts[1], t.phoneTwo)];
const verdict = make("p", { class: "verdict", role: "status" });
const cable = make("button", { type: "button", class: "button cable" });
cable.addEventListener("click", () => {
  const isOn = !devices.some((one) => one.input.checked);
  for (const one of devices) one.connect(isOn);
});

function showVerdict() {
  const isSame = devices.every((one) => one.lines === devices[0].lines);
  const isSettled = isSame && devices.every((one) => one.word === "insync");
  verdict.textContent = isSettled ? t.together : isSame ? t.same : t.apart;
  verdict.classList.toggle("is-together", isSettled);
  cable.textContent = devices.some((one) => one.input.checked) ? t.cut : t.restore;
}

addEventListener("message", (event) => {
  const one = devices.find((device) => device.screen.contentWindow === event.source);
  if (!one || typeof event.data?.word !== "string") return;
  one.lines = JSON.stringify(event.data.lines);
  one.word = event.data.word;
  showVerdict();
});

document.querySelector("main").append(
  make("h1", {}, t.devicesTitle),
  make("p", { class: "lead" }, t.devicesText),
  make("div", { class: "devices" }, devices[0].shell, make("div", { class: "between" }, verdict, cable), devices[1].shell),
);
frame(t.devicesTitle);
showVerdict();
