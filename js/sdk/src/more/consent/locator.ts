/**
 * The function of an IAB tool: the window's own, or one that speaks with the window above that has the tool's locator frame (CMP API
 * v2 and GPP CMP API 1.1, "Is there a sample iframe script call").
 */
import { page, type Page } from "./source.ts";

/** Calls a command. `heard` may be called once or again and again. */
export type Call = (command: string, heard: (result: any, ok: boolean) => void, parameter?: unknown) => unknown;

/** The function of `name`, `__tcfapi` or `__gpp`. */
export function toolOf(name: string, version: unknown, { listen }: Page): Call | undefined {
  const own = page[name];
  const isTcf = name === "__tcfapi";
  if (typeof own === "function") return (command, heard, parameter) => (isTcf ? own(command, version, heard, parameter) : own(command, heard, parameter, version));
  for (let at = page; ; at = at.parent) {
    try {
      if (at.frames[`${name}Locator`]) return remote(name, version, at, listen);
    } catch {
      // A window of another origin that has no locator.
    }
    if (at === at.parent) return;
  }
}

function remote(name: string, version: unknown, target: any, listen: Page["listen"]): Call {
  const waiting = new Map<unknown, (result: any, ok: boolean) => void>();
  listen(window, "message", (event) => {
    const { data, source } = event as MessageEvent;
    if (source !== target) return;
    // Some tools answer in text to everybody.
    const answer = (typeof data === "string" && data.includes(`${name}Return`) ? JSON.parse(data) : data)?.[`${name}Return`];
    waiting.get(answer?.callId)?.(answer.returnValue, answer.success);
  });
  return (command, heard, parameter) => {
    const callId = `hilo${waiting.size}${Math.random()}`;
    waiting.set(callId, heard);
    target.postMessage({ [`${name}Call`]: { command, parameter, version, callId } }, "*");
  };
}
