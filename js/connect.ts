/**
 * The dialogue of `cargo xtask connect`: asks the collector for the address at which a person grants access, prints it, and waits until
 * the collector has exchanged the code. In: name, collector's address, another way back if there is one. Out: exit code 0 once connected.
 *
 * Where the service cannot send a person back to the collector, the person pastes the address, or the code, at which they ended.
 */
import { createInterface } from "node:readline";

/** How often the collector is asked whether it is connected. */
const POLL_MS = 2_000;

const [name = "", base = "", redirectUri] = process.argv.slice(2);
const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(new URL(base).hostname);
if (!isLocal && !base.startsWith("https://")) {
  console.error(`error: ${base}: only https, because the admin token goes with each call`);
  process.exit(1);
}
// The token of every developer's machine.
const token = process.env["HILO_ADMIN_TOKEN"] ?? (isLocal ? "dev-admin" : undefined);

interface Answer {
  status: number;
  body: any;
}

/** Makes an admin call. */
async function admin(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${base.replace(/\/$/, "")}/admin/v1/destinations${path}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: { message: `${base} is no collector: it answered ${response.status}` } };
  }
}

/** Reads what a person has pasted: an address with a code, or a code alone. */
function pasted(line: string, state: string | null): object | undefined {
  const text = line.trim();
  if (!text) return undefined;
  const query = new URLSearchParams(text.slice(text.indexOf("?") + 1));
  const code = query.get("code");
  return code ? { code, state: query.get("state") ?? state } : { code: text, state };
}

async function main(): Promise<number> {
  if (!token) {
    console.error("error: put the collector's admin token into HILO_ADMIN_TOKEN and run the same command again.");
    return 2;
  }
  const since = async () => {
    const { body } = await admin("");
    return body.destinations?.find((one: any) => one.name === name)?.since as string | undefined;
  };
  const connect = `/${encodeURIComponent(name)}/connect`;
  const before = await since();
  const begun = await admin(connect, redirectUri ? { redirectUri } : {});
  if (begun.status !== 200) {
    console.error(`error: ${begun.body.message}`);
    return 1;
  }
  const { authorizeUrl, until } = begun.body;
  console.error(`Allow this redirect address at the service: ${begun.body.redirectUri}`);
  console.error(`Then open this address within ten minutes and grant access:\n\n${authorizeUrl}\n`);
  console.error("If you end on a page that does not load, paste its address here, or the code, and press Enter.");
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const body = pasted(line, new URL(authorizeUrl).searchParams.get("state"));
    const handed = body && (await admin(connect, body));
    if (handed && handed.status !== 200) console.error(`error: ${handed.body.message}`);
  });
  try {
    while (Date.now() < Date.parse(until)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const now = await since();
      if (now && now !== before) {
        console.error(`${name} is connected.`);
        return 0;
      }
    }
  } finally {
    lines.close();
  }
  console.error("error: nobody granted access within ten minutes. Run the same command again.");
  return 1;
}

process.exit(
  await main().catch((error: Error) => {
    console.error(`error: ${base} could not be reached (${(error.cause as Error | undefined)?.message ?? error.message}).`);
    return 2;
  }),
);
