/**
 * Promise: an act for a customer carries a valid token, which the site is asked for once, and waits while the site owes one. A token or an
 * answer that is owed when the visitor logs out never reaches the next visitor.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { claimsOf, signToken } from "../../collector/tokens.ts";
import { cart, close, CUP, end, MUG, open, openPackage, passed, settled, shows, signIn, storedKeys, until, type Json } from "./site.ts";

after(end);

test("an expired token is fetched anew once, and without a token nothing is sent for a customer", async () => {
  const user = `w${Date.now()}`;
  const now = Math.floor(Date.now() / 1000);
  const stale = signToken(claimsOf(user, { iat: now - 7_200, exp: now - 3_600 }));
  const page = await openPackage();
  const good = signToken(claimsOf(user));
  await page.evaluate(
    async ([user, stale, good]: Json) => {
      const state: Json = ((window as Json).asked = { count: 0 });
      const tokenProvider = async () => ((state.count += 1), state.isOut ? "" : good);
      (window as Json).hilo = await (window as Json).load({ key: "wk_shop", tokenProvider });
      (window as Json).hilo.identify(user, {}, { token: stale });
    },
    [user, stale, good],
  );
  await cart(page, "add", MUG);
  await settled(page);
  assert.equal(await page.evaluate(() => (window as Json).asked.count), 1);
  const choice = page.waitForRequest(/\/v1\/consent$/);
  await page.evaluate(() => (window as Json).hilo.consent.deny("advertising"));
  assert.equal((await choice).headers()["x-hilo-user-token"], good, "a choice counts for the customer too");
  page.problems.length = 0; // the browser reports the 401
  await close(page);
  const desk = await open();
  await signIn(desk, user);
  await shows(desk, { mug: 1 });
  await desk.reload(); // the page has the customer's cart in storage, and no token yet
  desk.calls.length = 0;
  await shows(desk, { mug: 1 });
  await cart(desk, "add", MUG);
  await passed(desk, 1_000);
  assert.deepEqual(desk.calls.filter((call: string) => call.includes("/v1/")), []);
  await signIn(desk, user);
  await settled(desk);
  await close(desk);
});

/** Opens a page whose tracker asks the site for tokens, and signs `user` in with `token`. `tokens.answer` gives what the page waits for. */
async function openAsking(user: string, token?: string) {
  const page = await openPackage();
  await page.evaluate(
    async ([user, token]: Json) => {
      const tokenProvider = () => new Promise((resolve) => ((window as Json).answer = resolve));
      (window as Json).hilo = await (window as Json).load({ key: "wk_shop", tokenProvider });
      (window as Json).hilo.identify(user, {}, { token });
    },
    [user, token],
  );
  return page;
}

test("a token that the site owes at a logout is not the next visitor's", async () => {
  const user = `y${Date.now()}`;
  const page = await openAsking(user, signToken(claimsOf(user)));
  await cart(page, "add", MUG);
  await settled(page);
  await page.evaluate((user: string) => (window as Json).hilo.identify(user), user);
  await page.waitForFunction(() => (window as Json).answer);
  await page.evaluate(() => (window as Json).hilo.reset());
  await until(async () => assert.deepEqual(await storedKeys(page), []));
  const users: unknown[] = [];
  page.on("request", (request: Json) => /\/v1\/cart/.test(request.url()) && users.push(request.headers()["x-hilo-user-token"]));
  await page.evaluate((token: string) => (window as Json).answer(token), signToken(claimsOf(user)));
  await cart(page, "add", CUP);
  await shows(page, { cup: 1 });
  await settled(page);
  assert.deepEqual([...new Set(users)], [undefined]);
  await close(page);
});

test("a logout while the site owes a token goes out without waiting for another visitor's token", async () => {
  const user = `z${Date.now()}`;
  const now = Math.floor(Date.now() / 1000);
  const page = await openAsking(user, signToken(claimsOf(user, { iat: now - 7_200, exp: now - 3_600 })));
  await page.waitForFunction(() => (window as Json).answer);
  await page.evaluate(() => (window as Json).hilo.reset());
  await page.evaluate(() => (window as Json).answer(""));
  await cart(page, "add", CUP);
  await settled(page);
  await shows(page, { cup: 1 });
  page.problems.length = 0; // the browser reports the 401
  await close(page);
});

test("a checkout that begins while the site owes the customer's token waits for the token", async () => {
  const user = `q${Date.now()}`;
  const page = await openAsking(user);
  await cart(page, "add", MUG);
  await page.waitForFunction(() => (window as Json).answer);
  const checkout = cart(page, "checkout");
  await page.evaluate((token: string) => (window as Json).answer(token), signToken(claimsOf(user)));
  assert.match((await checkout)?.checkout_id ?? "", /^co_/);
  await settled(page);
  await close(page);
});
