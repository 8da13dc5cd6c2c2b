/**
 * What Cloudflare charges for, by its list prices of autumn 2026: USD per million, beyond what a plan includes.
 *
 * Left out, because the operations here outweigh them: rows read (0.001), CPU time, the duration of objects, storage.
 */
export const PRICES = {
  /** "Workers: Pricing", requests. developers.cloudflare.com/workers/platform/pricing */
  requests: 0.3,
  /** "Durable Objects: Pricing", requests: calls and alarms. developers.cloudflare.com/durable-objects/platform/pricing */
  objectRequests: 0.15,
  /** The same page, SQLite rows written: entries of indexes and alarms that are set count too. */
  rowsWritten: 1,
  /** "Queues: Pricing", operations: 64 KB written, read or deleted. developers.cloudflare.com/queues/platform/pricing */
  queueOperations: 0.4,
} as const;

/** What is charged. */
export type Charged = keyof typeof PRICES;
