/** What the cart's module asks of the page: chance, and somebody who takes its answers. */

/** 32 random bits. */
export const random = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

let text = "";

export const answer = (said: string) => void (text = said);
/** What the module answered last. */
export const answered = () => text;
