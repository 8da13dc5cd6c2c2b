/** What the first module says during a call: a text that it answers, and that the visitor's choices changed. */

let text = "";
let isNew = false;

/** Takes the text that a call answers. */
export const answer = (said: string) => void (text = said);

/** The text that the last call answered, once: a call that the module cannot take, because it is at work, answers nothing. */
export function answered(): string {
  const said = text;
  text = "";
  return said;
}

/** The choices changed during the call. */
export const consentChanged = () => void (isNew = true);

/** Whether the choices changed since this was last asked. */
export function isConsentNew(): boolean {
  const was = isNew;
  isNew = false;
  return was;
}
