/**
 * The time that an edit takes from one device to the others over the live socket: `cargo xtask bench cart`.
 *
 * Every device sets its own line again and again, and every device must receive every edit. The figures are milliseconds from
 * sending to receiving, with hub and all devices on the same processors. The last column holds the targets.
 */
import { Device, type LiveSocket } from "./carts.ts";
import { type Collector, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

interface Listener {
  device: Device;
  socket: LiveSocket;
  line: [string, string, string];
}

async function listen(collector: Collector, user: string, index: number): Promise<Listener> {
  const device = new Device(collector, signToken(claimsOf(user)));
  await device.whole();
  const socket = await device.listen();
  return { device, socket, line: [`line-${index}`, "0", "EUR"] };
}

/** Lets `devices` on one cart make `perSecond` edits together for `seconds`. */
async function measure(collector: Collector, devices: number, perSecond: number, seconds: number, wish: string) {
  const user = `bench-${devices}`;
  const listeners: Listener[] = [];
  for (let i = 0; i < devices; i += 1) listeners.push(await listen(collector, user, i));
  const count = perSecond * seconds;
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  const heard = listeners.map(async ({ socket }) => {
    const seen = new Set<string>();
    while (seen.size < count) {
      const frame = await socket.next((one) => one["t"] === "delta" || one["t"] === "view");
      const now = performance.now();
      for (const [, dot] of frame["put"] ?? []) {
        const name = dot.join(".");
        if (seen.has(name) || !sentAt.has(name)) continue;
        seen.add(name);
        latencies.push(now - sentAt.get(name)!);
      }
    }
    return seen.size;
  });
  const began = performance.now();
  for (let i = 0; i < count; i += 1) {
    const due = began + (i * 1_000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const { device, socket, line } = listeners[i % devices]!;
    const n = device.n + 1;
    const drop = device.n > 0 ? [device.dot(device.n)] : [];
    sentAt.set(device.dot(n).join("."), performance.now());
    socket.send({ t: "ops", ...device.delta(1, { put: [[line, device.dot(n), "set", 1 + (i % 9)]], drop }) });
    device.n = n;
  }
  const total = (await Promise.all(heard)).reduce((sum, one) => sum + one, 0);
  for (const { socket } of listeners) socket.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)]!.toFixed(1).padStart(7);
  const label = `${devices} devices, ${perSecond} edits/s`;
  console.log(`${label.padEnd(28)}${String(total).padStart(7)} of ${count * devices} heard   p50 ${at(0.5)} ms   p95 ${at(0.95)} ms   ${wish}`);
}

const collector = await startCollector({ release: true });
await measure(collector, 3, 30, 10, "p50 ≤ 30, p95 ≤ 150");
await measure(collector, 50, 100, 10, "p95 ≤ 300");
await collector.dispose();
