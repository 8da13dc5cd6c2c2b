/** TCF 2.2 and 2.3, by the event listener of `__tcfapi`. Of the vendors' maps only the site's own vendor is copied. */
import { toolOf } from "./locator.ts";
import type { Source } from "./source.ts";

export const tcf: Source = {
  read(tell, page) {
    const { vendor, atEnd } = page;
    const call = toolOf("__tcfapi", 2, page);
    if (!call) return;
    // The tool is there: nothing passes before it answers. A stub keeps what it is asked until the tool itself has loaded.
    tell({});
    call("addEventListener", (data, ok) => {
      const { eventStatus, cmpStatus, gdprApplies, tcString, purpose, publisher = {}, vendor: theirs = {}, outOfBand, listenerId } = data ?? {};
      const restrictions = Object.entries<any>(publisher.restrictions ?? {}).map(([id, kinds]) => [id, kinds?.[vendor]]);
      // The API has the disclosed vendors at the first place, the reference library 1.5.6 at the second one.
      const disclosed = theirs.disclosedVendors ?? outOfBand?.disclosedVendors;
      tell({
        ok,
        status: eventStatus,
        cmp: cmpStatus,
        applies: gdprApplies,
        string: tcString,
        purposes: purpose?.consents,
        publisher: publisher.consents,
        restrictions: Object.fromEntries(restrictions),
        consent: theirs.consents?.[vendor],
        ...(disclosed && { disclosed: !!disclosed[vendor] }),
      });
      if (listenerId !== undefined) atEnd(() => call("removeEventListener", () => {}, listenerId));
    });
    return true;
  },
};
