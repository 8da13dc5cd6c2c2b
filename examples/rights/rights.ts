/**
 * A privacy page: its visitor sees what is kept, gets a copy of all of it as one file, or has everything erased.
 *
 * The browser's cookie proves the visitor's device. `token`, which the shop's own backend signs, proves a signed-in person; its scope
 * names `profile` to read and `erase` to erase, or it names nothing.
 */
const key = "wk_shop";
const endpoint = "/_h";

async function call(method: string, path: string, token?: string) {
  const headers: Record<string, string> = { "x-hilo": "1", authorization: `Bearer ${key}` };
  if (token) headers["x-hilo-user-token"] = token;
  // Where cookies do not work, the tracker keeps the proof of the visitor's id here.
  const proof = localStorage.getItem("hilo.p");
  if (proof) headers["x-hilo-auth"] = proof;
  const response = await fetch(endpoint + path, { method, headers, credentials: "include" });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return answer;
}

/** How much is kept: events, consent, opt-ins, carts. */
export const kept = (token?: string) => call("GET", "/v1/me", token);

/** Saves a copy of all that is kept. It comes in pages, because a person may have a hundred thousand events. */
export async function save(token?: string) {
  const pages: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await call("GET", `/v1/me/export${cursor && `?cursor=${encodeURIComponent(cursor)}`}`, token);
    pages.push(page);
    cursor = page.next;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(pages, null, 2)], { type: "application/json" }));
  link.download = "my-data.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Erases everything. Resolves when it is done, after some seconds up to a minute. `progress` gets the steps. */
export async function erase(token: string | undefined, progress: (step: string) => void) {
  const { poll, notice } = await call("DELETE", "/v1/me", token);
  if (notice) progress(notice.message);
  // The tracker forgets the visitor too, and asks for no other id before the visitor grants again.
  (window as unknown as { hilo: { consent: { withdraw(): void } } }).hilo.consent.withdraw();
  for (;;) {
    const { status, step, refusedBy } = await (await fetch(endpoint + poll)).json();
    if (status === "done") return refusedBy ?? [];
    progress(step);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}
