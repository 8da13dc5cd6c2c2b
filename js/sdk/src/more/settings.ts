/**
 * What the collector answers everybody about the source of a write key (`hilo-collector/src/ingest/settings.rs`).
 */

/** How long whoever asks waits. */
const SETTINGS_MS = 2_000;

/** The settings of interest: the shop's own currency (`normalize.currency` of `hilo.toml`), and whether an address may open the debugger. */
export interface Settings {
  currency?: unknown;
  debug?: unknown;
}

/** Asks without cookies, so that nobody is known by it. Empty where the collector does not answer. */
export async function settingsOf({ endpoint, key }: { endpoint: string; key: string }): Promise<Settings> {
  try {
    const answer = await fetch(`${endpoint}/v1/projects/${encodeURIComponent(key)}/settings`, { credentials: "omit", signal: AbortSignal.timeout(SETTINGS_MS) });
    return answer.ok ? ((await answer.json()) ?? {}) : {};
  } catch {
    // No network, or no settings.
    return {};
  }
}
