/**
 * Promise: a socket lives as long as the login that opened it. It ends with its token even if it is silent, a newer token
 * prolongs it, a logout closes the sockets of its own login only, and strangers and silent sockets lock nobody out.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, LiveSocket, MUG } from "./carts.ts";
import { type Json } from "./envelopes.ts";
import { startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

const is = (t: string) => (frame: Json) => frame["t"] === t;
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

async function signedIn(user: string, over: Json = {}): Promise<Device> {
  const device = new Device(collector, signToken(claimsOf(user, over)));
  await device.whole();
  return device;
}

test("a silent socket is closed when its token is over, and a socket with a newer token stays", async () => {
  const exp = inSeconds(10);
  const [short, renewed] = [await signedIn("expires", { exp }), await signedIn("expires", { exp })];
  const [ends, stays] = [await short.listen(), await renewed.listen()];
  renewed.user = signToken(claimsOf("expires"));
  await renewed.whole();
  stays.send({ t: "ticket", ticket: renewed.live });
  await ends.ending();
  assert.ok(Date.now() >= exp * 1000 - 50 && Date.now() < exp * 1000 + 10_000);
  assert.equal(await ends.end(20_000), 4401);
  await renewed.add(MUG, 1);
  assert.equal((await stays.next(is("delta")))["rev"], "1");
  stays.close();
});

test("a logout closes the sockets of its own session and of no other one", async () => {
  const [phone, laptop] = [await signedIn("leaves", { sid: "phone" }), await signedIn("leaves", { sid: "laptop" })];
  const [first, second, other] = [await phone.listen(), await phone.listen(), await laptop.listen()];
  assert.equal((await phone.call("/v1/cart/leave", {})).status, 204);
  for (const socket of [first, second]) {
    await socket.ending();
    assert.equal(await socket.end(20_000), 4401);
  }
  await laptop.add(MUG, 1);
  assert.equal((await other.next(is("delta")))["rev"], "1");
  // A token without a session is a login of its own. A token that is over logs out as well: the visitor leaves in any case.
  const [plain, over] = [await signedIn("leaves"), new Device(collector, signToken(claimsOf("leaves", { iat: 1, exp: 2 })))];
  const own = await plain.listen();
  assert.equal((await over.call("/v1/cart/leave", {})).status, 204);
  assert.equal((await plain.call("/v1/cart/leave", {})).status, 204);
  await own.ending();
  assert.equal(await own.end(20_000), 4401);
  other.close();
});

test("nobody without a ticket opens a socket, and silent sockets do not lock the owner out", async () => {
  const owner = await signedIn("crowded");
  const stranger = (ticket?: string) => LiveSocket.open(collector, owner.cart, { origin: collector.url }, ticket);
  const refused = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => stranger(n % 2 ? "forged.ticket" : undefined)));
  assert.ok(refused.every(({ status }) => status === "rejected"));
  const silent: LiveSocket[] = [];
  for (let n = 0; n < 20; n++) silent.push(await owner.socket());
  const listening = await owner.listen();
  await owner.add(MUG, 1);
  assert.equal((await listening.next(is("delta")))["rev"], "1");
  const ended = await Promise.all(silent.slice(0, 5).map((socket) => socket.end(20_000)));
  assert.deepEqual(ended, Array(5).fill(4408), "the oldest ones gave way");
  silent.forEach((socket) => socket.close());
  listening.close();
});
