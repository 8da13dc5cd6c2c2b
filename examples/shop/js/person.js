/**
 * The customer who is signed in, as this shop stores it, and the token that the backend signs.
 *
 * In a real shop the session is a cookie, and the backend checks the customer. Here the development server signs every request, and
 * it runs on a developer's machine only.
 */

const KEY = "hebra.person";

/** The customer who signed in on this device; `null` for a guest. */
export function person() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

function remember(who) {
  try {
    if (who) localStorage.setItem(KEY, JSON.stringify(who));
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is blocked or full: the visitor signs in again on the next page.
  }
}

/** The customer number of an e-mail address: a hash, so equal for equal addresses. */
async function customer(email) {
  const bytes = new TextEncoder().encode(email.trim().toLowerCase());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return "cust_" + [...hash.slice(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A token for `user`, signed by the shop's backend. */
export async function token(user) {
  const answer = await fetch("/dev/sign-in", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!answer.ok) throw new Error(`the sign-in answered ${answer.status}`);
  return (await answer.json()).token;
}

/** Tells the tracker who the customer is, with a token. Without a token this is a claim, and opens no cart. */
export async function introduce(user, email) {
  window.hilo?.identify(user, { plan: "club", ...(email && { email }) }, { token: await token(user) });
}

/** Signs in. Returns the customer. */
export async function signIn(email) {
  const who = { email, user: await customer(email) };
  await introduce(who.user, who.email);
  remember(who);
  return who;
}

/** Signs out: the next visitor on this device is another person, with another cart. */
export function signOut() {
  remember(null);
  window.hilo?.reset();
}

/** Resolves once the tracker knows the customer of this page, or cannot. */
export let known = Promise.resolve();

/** On every page: tells the tracker again who the customer is. Without a network the tracker goes on without a token. */
export function resume() {
  const who = person();
  if (who) known = introduce(who.user, who.email).catch(() => {});
}
