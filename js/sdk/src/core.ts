/**
 * The calls of the first module by name: `hilo-tracker/src/shell/browser/face.rs` says what its one function takes and returns.
 */
import { bind, call, imports } from "hilo-wasm";

import {
  CALL_ADMITS, CALL_ANONYMOUS_ID, CALL_ANSWERED, CALL_CHOICES, CALL_HEAR, CALL_LOST_OLD, CALL_LOST_UNREAD, CALL_RECORDED, CALL_REVISION, CALL_SESSION_ID,
  CALL_START,
} from "./codes.ts";
import { answered as said } from "./said.ts";

export { bind, imports };

/** Something happened in the page, one of the `HAPPENED_` codes, or a call that takes no more than a text. */
export const happen = (what: number, text = "") => call(what, 0, 0, 0, text);

/** Starts on this page, once; nothing is captured before `CALL_BEGIN`. `flags` are the `FLAG_` codes. */
export const start = (key: string, notice: string, firstInHistory: string, flags: number, tab: number) => call(CALL_START, flags, tab, 0, [firstInHistory, key, notice].join("\n"));
/**
 * Takes a draft, one of the `DRAFT_` codes. `name` is the event's or page's name, or the id of the user or group; an empty `id` is minted. `at` is the time by
 * the page's clock, and the module takes the clock's jumps out of it.
 */
export const tell = (kind: number, name: string, details: string, at: number, id = "") => call(kind, at, 0, 0, [details, id, name].join("\n"));
export const anonymous_id = () => (happen(CALL_ANONYMOUS_ID), said());
export const session_id = () => (happen(CALL_SESSION_ID), said());
export const choices = () => happen(CALL_CHOICES);
export const revision = () => happen(CALL_REVISION);
/** Whether what happens now may be remembered until the second module can read it. */
export const admits = () => happen(CALL_ADMITS);
/** `count` occurrences or acts are lost: they are too old, or the page is left before the second module could read them. */
export const lose = (areOld: boolean, count: number) => call(areOld ? CALL_LOST_OLD : CALL_LOST_UNREAD, count, 0, 0, "");
/** What the collector has recorded, by the answer to the request `ticket`. Returns whether a proof in the answer is of use. */
export const recorded = (ticket: number, revision: number, denied: string) => !!call(CALL_RECORDED, 0, ticket, revision, denied);
/** The answer to a request. A negative `retryAfter` stands for none. Returns whether the answer is the collector's own. */
export const answered = (ticket: number, status: number, retryAfter: number, words: string) => !!call(CALL_ANSWERED, retryAfter, ticket, status, words);
/** What the page's consent tools tell: the `CHOICE_` codes of the purposes in one number, the methods, and the raw signals. */
export const hear = (report: number, methods: string, signals: string) => call(CALL_HEAR, report, 0, 0, methods + "\n" + signals);
