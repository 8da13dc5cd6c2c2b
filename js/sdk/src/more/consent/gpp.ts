/** The Global Privacy Platform, by the event listener of `__gpp`. */
import { toolOf } from "./locator.ts";
import type { Source } from "./source.ts";

export const gpp: Source = {
  read(tell, page) {
    const call = toolOf("__gpp", "1.1", page);
    if (!call) return;
    tell({});
    const heard = (event: any) => {
      const { pingData = event, eventName, data } = event ?? {};
      if (!pingData) return;
      const { signalStatus, applicableSections, sectionList, gppString, parsedSections } = pingData;
      tell({ signalStatus: eventName === "signalStatus" ? data : signalStatus, applicableSections, sectionList, gppString, parsedSections });
    };
    const listened: any = call("addEventListener", heard);
    // The published stub gives the event back in place of calling back.
    if (listened) heard(listened);
    page.atEnd(() => call("removeEventListener", () => {}, listened?.listenerId));
    return true;
  },
};
