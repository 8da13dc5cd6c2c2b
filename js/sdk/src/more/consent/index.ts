/**
 * Every consent source under the name that switches it on: one line a source. The IAB's tools are found without a name.
 */
import type { ConsentSource } from "../../types.ts";
import { complianz } from "./complianz.ts";
import { consentMode } from "./consent_mode.ts";
import { cookiebot } from "./cookiebot.ts";
import { cookiefirst } from "./cookiefirst.ts";
import { cookieyes } from "./cookieyes.ts";
import { didomi } from "./didomi.ts";
import { gpp } from "./gpp.ts";
import { iubenda } from "./iubenda.ts";
import { onetrust } from "./onetrust.ts";
import { shopify } from "./shopify.ts";
import type { Source } from "./source.ts";
import { tcf } from "./tcf.ts";
import { usercentrics } from "./usercentrics.ts";
import { wp } from "./wp.ts";


export const sources: Record<ConsentSource, Source> = {
  tcf,
  gpp,
  consent_mode: consentMode,
  shopify,
  wp,
  onetrust,
  cookiebot,
  usercentrics,
  didomi,
  cookieyes,
  complianz,
  iubenda,
  cookiefirst,
};
