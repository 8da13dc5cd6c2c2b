/**
 * The stub that stands inline in a page: records calls, with their time, until the tracker is there.
 * At most 1 KB. Touches no storage, sends nothing.
 */
(function (w: any) {
  if (w.hilo) return;
  const q: [string, unknown[], number][] = [];
  const hilo: any = { q, consent: {}, cart: {} };
  const names = "page track identify group reset ready optIn optOut use flush debug destroy";
  const record = (name: string) => (...args: unknown[]) => void q.push([name, args, Date.now()]);
  for (const name of names.split(" ")) hilo[name] = record(name);
  for (const name of ["grant", "deny", "withdraw", "on"]) hilo.consent[name] = record("consent." + name);
  for (const name of "add set dec remove clear on checkout ordered".split(" ")) hilo.cart[name] = record("cart." + name);
  hilo.cart.lines = () => [];
  hilo.cart.totals = () => ({});
  w.hilo = hilo;
})(window);
