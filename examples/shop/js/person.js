/**
 * Who is signed in: this shop's own memory of it, and the token its backend signs.
 *
 * In a real shop the session is a cookie and the backend knows the customer. Here the development server signs for anybody
 * who asks; it exists on a developer's machine only.
 */

const KEY = "hebra.person";

/** Who signed in on this device; `null` for nobody. */
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
    // Blocked or full: the visitor signs in again on the next page.
  }
}

/** The customer number behind an e-mail address: the same for the same address, and not the address. */
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

/** Tells the tracker who this is, with the shop's proof. Without the proof it would be a claim, and open no cart. */
export async function introduce(user) {
  window.hilo?.identify(user, { plan: "club" }, { token: await token(user) });
}

/** Signs in and answers who. */
export async function signIn(email) {
  const who = { email, user: await customer(email) };
  await introduce(who.user);
  remember(who);
  return who;
}

/** Signs out: whoever comes next on this device is somebody else, with a cart of their own. */
export function signOut() {
  remember(null);
  window.hilo?.reset();
}

/** On every page: a customer who signed in earlier is introduced again. Offline, the tracker goes on as it was. */
export function resume() {
  const who = person();
  if (who) introduce(who.user).catch(() => {});
}
