/**
 * The follower's part of a tab: sends the visitor's acts to the leader and repeats them until they are done, asks the leader for
 * tasks, and shows the leader's cart.
 */
import { own } from "../host.ts";
import { TASK_MS } from "../limits.ts";
import { leave } from "../storage/left.ts";
import type { Act, TabMessage, TaskName } from "../types.ts";
import { emit, lay, show, undone } from "./display.ts";
import { tell } from "./group.ts";

/** A task that the leader has not done. */
interface OpenTask {
  name: TaskName;
  args: unknown[];
  done(value: unknown): void;
}

const tasks = new Map<number, OpenTask>();
let asked = 0;

const sendActs = () => tell({ acts: undone, from: own });
const sendTask = (id: number, name: TaskName, args: unknown[]) => tell({ ask: [name, args], from: own, id });

/** This tab's acts beyond the number up to which a leader has done them. */
const notDone = (done: Record<string, number> = {}) => undone.filter(([n]) => n > (done[own] ?? 0));

/** Shows an act and sends it to the leader. */
export function act(one: Act) {
  lay([...undone, one]);
  sendActs();
  emit();
}

/** Has the leader do a task; null where no leader does it in time. */
export function request(name: TaskName, args: unknown[]): Promise<unknown> {
  const id = ++asked;
  sendTask(id, name, args);
  return new Promise((done) => {
    setTimeout(done, TASK_MS, null);
    tasks.set(id, { name, args, done });
  }).finally(() => tasks.delete(id));
}

/** Takes a message of another tab. */
export function hear({ shown, status, done, lead, result }: TabMessage, isLeader: boolean) {
  if (shown && status && !isLeader) {
    lay(notDone(done));
    show(shown, status);
  }
  if (lead) {
    if (undone.length) sendActs();
    for (const [id, { name, args }] of tasks) sendTask(id, name, args);
  }
  if (result?.[0] === own) tasks.get(result[1])?.done(result[2]);
}

/** This tab leads now: does what waited for a leader. */
export function handOver(done: Record<string, number>, enact: (act: Act) => void, run: (name: TaskName, args: unknown[]) => Promise<unknown>) {
  notDone(done).forEach(enact);
  lay([]);
  for (const { name, args, done } of tasks.values()) void run(name, args).then(done);
}

/** The page goes: stores what no leader is known to have done. */
export function left() {
  leave(own, undone, [...tasks.values()].flatMap(({ name, args }) => (name === "ordered" ? [["cart.ordered", args, Date.now()]] : [])));
}
