/**
 * Whose a window is: the page around a frame captures it, unless the frame has a tracker of its own. The snippet's tracker is
 * `window.hilo`. The package leaves a sign, which no element's id can stand for and no site clears by accident.
 */

const NAME = "hilo-tracker";

/** Leaves the sign in this window. */
export const claim = () => void ((window as any)[Symbol.for(NAME)] = true);

/** Whether `view` has a tracker, started or on its way. */
export const isClaimed = (view: Window) => !!(view.hilo || (view as any)[Symbol.for(NAME)]);
