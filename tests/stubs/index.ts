/** Every stub: two lines for each vendor, in the order of the alphabet. A vendor that is read only stands in `READ_ONLY`. */
import { create as archive } from "./archive.ts";
import { create as bigquery } from "./bigquery.ts";
import { create as braze } from "./braze.ts";
import { create as buffer } from "./buffer.ts";
import { create as clickhouse } from "./clickhouse.ts";
import { create as ga4 } from "./ga4.ts";
import { create as google_ads } from "./google_ads.ts";
import { create as hootsuite } from "./hootsuite.ts";
import { create as hubspot } from "./hubspot.ts";
import { create as kafka } from "./kafka.ts";
import { create as marketo } from "./marketo.ts";
import { create as meta } from "./meta.ts";
import { create as posthog } from "./posthog.ts";
import { create as salesforce } from "./salesforce.ts";
import { create as segment } from "./segment.ts";
import { create as sumup } from "./sumup.ts";
import { create as tiktok } from "./tiktok.ts";
import type { CreateStub } from "./types.ts";
import { create as webhook } from "./webhook.ts";
import { create as zoho } from "./zoho.ts";

/** The vendors that are destinations. */
export const STUBS: readonly CreateStub[] = [
  archive,
  bigquery,
  braze,
  buffer,
  clickhouse,
  ga4,
  google_ads,
  hootsuite,
  hubspot,
  kafka,
  marketo,
  meta,
  posthog,
  salesforce,
  segment,
  tiktok,
  webhook,
  zoho,
];

/** The vendors that hilo reads and sends nothing to. */
export const READ_ONLY: readonly CreateStub[] = [sumup];

/** All of them. */
export const VENDORS: readonly CreateStub[] = [...STUBS, ...READ_ONLY];
