/**
 * The stub that stands inline in a page: records calls, with their time, until the tracker is there.
 *
 * It has at most 1 KB, sends nothing and never throws. Each call returns what `types.ts` promises: no id, no choice, a promise that
 * settles, a function that ends a callback. It stores two things only: the visitor's explicit choices, without an id, and calls of
 * the cart, an order included, where no tracker came before the page was left.
 */
// Each byte stands in every page of a site: hence `map` for loops, `let` for constants and a short name for `addEventListener`.
(self as any).hilo ||
  ((w: any) => {
    /** A call whose name was emptied counts no more. `settle` takes the result of a promise. */
    type Call = [name: string, args: unknown[], at: number, settle?: (result: unknown) => void];
    let q: Call[] = [];
    let u = "unset";
    let nothing = (_: any) => null;
    let consent: any = { state: (_: any) => ({ functional: u, analytics: u, personalization: u, advertising: u, sale_share: u, revision: 0 }) };
    let cart: any = { lines: (_: any) => [], totals: (_: any) => ({}), unpriced: (_: any) => 0 };
    let hilo: any = (w.hilo = { q, consent, cart, anonymousId: nothing, sessionId: nothing });
    let isBlocked: unknown;
    let listen = addEventListener;

    /** Gives `home` functions of these names. */
    let record = (home: any, prefix: string, names: string) =>
      names.split(" ").map(
        (name) =>
          (home[name] = (...args: unknown[]) => {
            let call: Call = [prefix + name, args, Date.now()];
            q.push(call);
            if (home == consent && name[2]) {
              try {
                // Whichever page has a tracker first reads the choices there: `,grant,analytics;`. The newest stand at the end.
                let storage = localStorage;
                storage["hilo.a"] = ([storage["hilo.a"], name, args] + ";").slice(-999);
                call[0] = "";
              } catch {
                // The storage is blocked, so the choice ends with this page.
              }
            }
            // The names are `checkout`, `ordered`, `optIn` and `optOut`. Any other call than `on` returns nothing.
            return /o.*[td]/.test(name)
              ? new Promise((settle) => (isBlocked ? settle(null) : (call[3] = settle)))
              : name[2]
                ? call[3]
                : (_: any) => void (call[0] = "");
          }),
      );
    record(hilo, "", "page track identify group reset ready use flush debug destroy optIn optOut on");
    record(consent, "consent.", "grant deny withdraw on");
    record(cart, "cart.", "add set dec remove clear on checkout ordered");

    /** No tracker comes for what waits: stores the acts on the cart, and settles the promises. */
    let giveUp = (_?: any) => {
      if (w.hilo == hilo) {
        let acts = q.filter((call) => /cart.(?!on|ch)/.test(call[0]));
        try {
          if (acts[0]) localStorage["hilo.w" + Math.random()] = JSON.stringify(acts);
          acts.map((act) => (act[0] = ""));
        } catch {
          // The storage is blocked, so the calls end with this page.
        }
        q.map((call) => call[3]?.(null));
      }
    };
    listen("pagehide", giveUp);
    listen(
      "error",
      ({ target: { src } }: any) => /hilo.js/.test(src) && ((isBlocked = 1), giveUp(), console.error("hilo needs " + src)),
      1 as any,
    );
  })(self);
