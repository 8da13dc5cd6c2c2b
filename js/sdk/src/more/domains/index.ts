/**
 * The hand-over of a visitor between two sites of one owner: `departures.ts` puts a token into a link to the other site, and there
 * `arrival.ts` takes the visitor's id for it. Without the site's list of domains nothing is listened to.
 */
import type { Host } from "../host.ts";
import { watchArrival, type Arrival } from "./arrival.ts";
import { TOKEN_MARK } from "./calls.ts";
import { watchDepartures } from "./departures.ts";

/** Watches both ways until the tracker stops. */
export function watchDomains(host: Host): Arrival {
  host.guarded(() => watchDepartures(host));
  return watchArrival(host);
}

/** An address of a moment at which this file was not there may have the token. */
export const withoutToken = (url: string) => url.split(TOKEN_MARK)[0]!;
