/**
 * The stub that stands inline in a page: records calls, with their time, until the tracker is there.
 * It has at most 1 KB and sends nothing. It stores one thing only: calls of the cart, an order included, where the page is left
 * before the tracker is there.
 */
(function (w: any) {
  if (w.hilo) return;
  let q: [string, unknown[], number][] = [];
  const hilo: any = { q, consent: {}, cart: {} };
  const names = "page track identify group reset ready optIn optOut use flush debug destroy";
  const record = (name: string) => (...args: unknown[]) => void q.push([name, args, Date.now()]);
  for (const name of names.split(" ")) hilo[name] = record(name);
  for (const name of ["grant", "deny", "withdraw", "on"]) hilo.consent[name] = record("consent." + name);
  for (const name of "add set dec remove clear on checkout ordered".split(" ")) hilo.cart[name] = record("cart." + name);
  hilo.cart.lines = () => [];
  hilo.cart.totals = () => ({});
  w.hilo = hilo;
  addEventListener("pagehide", () => {
    const isAct = ([name]: [string, ...unknown[]]) => /^cart\.(add|set|dec|rem|cle|ord)/.test(name);
    if (w.hilo !== hilo || !q.some(isAct)) return;
    try {
      localStorage["hilo.w" + Math.random()] = JSON.stringify(q.filter(isAct));
      hilo.q = q = q.filter((call) => !isAct(call));
    } catch {
      // The storage is blocked, so the calls end with this page.
    }
  });
})(window);
