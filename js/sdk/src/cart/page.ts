/** What the cart's module asks of the page: random bits, and a place for its answer. */

/** 32 random bits. */
export const random = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

let text = "";

/** Takes the module's answer. */
export const answer = (said: string) => void (text = said);
/** The module's last answer. */
export const answered = () => text;
