/**
 * Promise: devices with a socket receive every change at once. A socket that does not say hello is closed, a refused frame
 * disturbs no other device, and a device that sends too much is cut off.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CUP, Device, type LiveSocket, MUG } from "./carts.ts";
import { type Json } from "./envelopes.ts";
import { eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

const is = (t: string) => (frame: Json) => frame["t"] === t;

/** A device whose socket has sent its hello. */
async function listening(user: string): Promise<{ device: Device; socket: LiveSocket }> {
  const device = new Device(collector, signToken(claimsOf(user)));
  await device.whole();
  return { device, socket: await device.listen() };
}

test("a silent socket is closed after five seconds, and a socket that sends something else than a hello at once", async () => {
  const { device, socket } = await listening("deadline");
  const began = Date.now();
  const silent = await device.socket();
  const mute = await device.socket();
  mute.send({ t: "ops", ...device.adding(MUG, 1) });
  assert.equal(await mute.end(), 4400);
  await silent.ending();
  const waited = Date.now() - began;
  assert.ok(waited >= 4_900 && waited < 9_000, `${waited} ms`);
  // workerd closes the TCP connection up to ten seconds later.
  assert.equal(await silent.end(20_000), 4408);
  socket.close();
});

test("a socket receives the changes that another device makes by HTTP and by frame", async () => {
  const [phone, laptop] = [await listening("live"), await listening("live")];
  await phone.device.add(MUG, 2);
  const delta = await laptop.socket.next(is("delta"));
  assert.deepEqual([delta["rev"], delta["acked"], delta["put"].length], ["1", 0, 1]);
  laptop.device.learn(delta);
  laptop.socket.send({ t: "ops", ...laptop.device.adding(CUP, 1) });
  const own = await laptop.socket.next(is("delta"));
  assert.deepEqual([own["rev"], own["acked"]], ["2", 1]);
  const other = await phone.socket.next((frame) => frame["rev"] === "2");
  assert.deepEqual([other["acked"], other["put"]], [1, own["put"]]);
  laptop.socket.send({ t: "ops", ...laptop.device.adding(CUP, 1) });
  assert.deepEqual(await laptop.socket.next(), { t: "ack", rev: "2", acked: 1 });
  phone.socket.close();
  laptop.socket.close();
});

test("a refused frame is answered, and its socket stays open", async () => {
  const { device, socket } = await listening("refused");
  await device.add(MUG, 1);
  socket.send({ t: "ops", ...device.delta(1, { drop: [["7", 1]] }) });
  const refused = await socket.next(is("refused"));
  assert.equal(refused["error"].code, "missing");
  socket.send("not json");
  assert.equal((await socket.next(is("refused")))["error"].code, "malformed_delta");
  socket.send({ t: "ops", ...device.adding(CUP, 1) });
  assert.equal((await socket.next(is("delta")))["acked"], 2);
  socket.close();
});

test("a ping is answered without waking the cart", async () => {
  const { socket } = await listening("ping");
  socket.send("ping");
  assert.deepEqual(await socket.next(), { t: "pong" });
  socket.close();
});

test("a socket that sends more than twenty frames a second or a frame over 64 KB is closed", async () => {
  const { device, socket } = await listening("flood");
  for (let n = 0; n < 40; n++) socket.send({ t: "ops", ...device.delta(1, { from: 9, to: 9 }) });
  assert.equal(await socket.end(), 4429);
  const large = await listening("flood");
  large.socket.send({ t: "ops", filler: "x".repeat(64 * 1024) });
  assert.equal(await large.socket.end(), 1009);
});

test("a cart has 64 sockets at most, and room for another when one closes", async () => {
  const device = new Device(collector, signToken(claimsOf("crowd")));
  await device.whole();
  const sockets: LiveSocket[] = [];
  while (sockets.length < 64) sockets.push(await device.listen());
  await assert.rejects(device.socket(), /not opened/);
  await device.add(MUG, 1);
  const heard = await Promise.all(sockets.map((socket) => socket.next(is("delta"))));
  assert.equal(heard.length, 64);
  sockets[0]!.close();
  const another = await eventually(() => device.socket().catch(() => undefined));
  another.close();
  sockets.forEach((socket) => socket.close());
});

test("sockets receive checkouts, orders and new epochs", async () => {
  const [phone, laptop] = [await listening("pay"), await listening("pay")];
  await phone.device.add(MUG, 2);
  await phone.device.call("/v1/cart/checkout", {});
  assert.deepEqual(await laptop.socket.next(is("checkout")), { t: "checkout", open: true, changed: false });
  await laptop.device.add(CUP, 1);
  assert.deepEqual(await phone.socket.next((frame) => frame["changed"] === true), { t: "checkout", open: true, changed: true });
  await phone.device.call("/v1/cart/ordered", { order_id: "pay-1" });
  assert.deepEqual(await laptop.socket.next((frame) => frame["open"] === false), { t: "checkout", open: false, changed: false });
  await phone.device.call("/v1/cart/ordered", { order_id: "pay-2", lines: [{ line: CUP, quantity: 1 }] });
  const anew = await laptop.socket.next(is("view"));
  assert.deepEqual([anew["epoch"], anew["full"].put], [1, []]);
  phone.socket.close();
  laptop.socket.close();
});

test("a guest's sockets are told that the cart was merged into another", async () => {
  const guest = new Device(collector);
  await guest.add(MUG, 1);
  const socket = await guest.listen();
  guest.user = signToken(claimsOf("moved"));
  await guest.whole();
  assert.deepEqual(await socket.next(), { t: "merged" });
  assert.equal(await socket.end(), 1000);
});
