/** What the bench found: medians by tracker, as tables of Markdown, and hilo's figures beside their targets. */
import { EVENTS, FAULTS, type Fate } from "./faults.ts";
import type { Tracker } from "./trackers.ts";

/** All measurements of one tracker: the values of each figure, and the fates of each fault. */
export interface Measured {
  tracker: Tracker;
  figures: Record<string, number[]>;
  fates: Record<string, Fate[]>;
}

export const measured = (tracker: Tracker): Measured => ({ tracker, figures: {}, fates: {} });

export function note({ figures }: Measured, values: Record<string, number>) {
  for (const [name, value] of Object.entries(values)) (figures[name] ??= []).push(value);
}

/** The median of a figure; `NaN` where it was not measured. */
export function median(one: Measured, figure: string): number {
  const values = [...(one.figures[figure] ?? [])].sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? NaN;
}

/** Takes from each value what the browser does for an empty page as well. */
export function subtract(all: Measured[], empty: Measured, figure: string) {
  const idle = median(empty, figure);
  for (const { figures } of all) figures[figure] = (figures[figure] ?? []).map((value) => value - idle);
}

/** How many times the floor's figure. Where the floor costs nothing that this machine can tell from an empty page, there is none. */
function ratio(one: Measured, floor: Measured, figure: string): number {
  const least = median(floor, figure);
  return least > 0 ? median(one, figure) / least : NaN;
}

/** A column of figures: a ratio to the floor where the machine decides the absolute value. */
export interface Column {
  title: string;
  figure: string;
  unit?: "KB" | "ratio" | "ms" | "count";
  /** A figure that is printed behind, in parentheses. */
  beside?: string;
}

function cell(one: Measured, floor: Measured, { figure, unit = "ratio", beside }: Column): string {
  const value = median(one, figure);
  if (Number.isNaN(value)) return "–";
  const text = {
    KB: () => (value / 1_000).toFixed(1),
    ms: () => value.toFixed(1),
    count: () => `${Math.round(value)}`,
    ratio: () => `${value.toFixed(value < 100 ? 1 : 0)} ×${ratio(one, floor, figure).toFixed(2)}`,
  }[unit]();
  const second = beside === undefined ? NaN : median(one, beside);
  return second > 0 ? `${text} (+${Math.round(second)})` : text;
}

const row = (cells: string[]) => `| ${cells.join(" | ")} |`;
const table = (head: string[], rows: string[][]) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

/** One line for each tracker. The first of `all` is the floor. */
export function figures(all: Measured[], columns: Column[]): string {
  const [floor] = all;
  const rows = all.map((one) => [one.tracker.name, ...columns.map((column) => cell(one, floor!, column))]);
  return table(["tracker", ...columns.map(({ title }) => title)], rows);
}

/** A tracker that writes events down grows by more than this for each of them. */
const KEPT_PER_EVENT = 20;

/** Worst of all repeats: percent before the next visit → after it, and the most events that came more than once. */
export function durability(all: Measured[]): string {
  const percent = (count: number) => `${Math.round((count / EVENTS) * 100)} %`;
  const worst = (fates: Fate[] = []) => {
    if (!fates.length) return "–";
    const [before, after] = [Math.min(...fates.map((fate) => fate.before)), Math.min(...fates.map((fate) => fate.after))];
    const repeated = Math.max(...fates.map((fate) => fate.repeated));
    return `${percent(before)} → ${percent(after)}${repeated ? `, ${repeated} twice` : ""}`;
  };
  const names = Object.keys(FAULTS);
  const keeps = ({ fates }: Measured) => (Object.values(fates).flat().some(({ kept = 0 }) => kept > EVENTS * KEPT_PER_EVENT) ? "yes" : "not offered");
  const rows = all.filter(({ fates }) => Object.keys(fates).length).map((one) => [one.tracker.name, keeps(one), ...names.map((name) => worst(one.fates[name]))]);
  return table(["tracker", "keeps events on the device", ...names], rows);
}

/** Notes the worst of all faults as figures. */
export function noteWorst(one: Measured) {
  const fates = Object.values(one.fates).flat();
  if (!fates.length) return;
  note(one, { lost: EVENTS - Math.min(...fates.map(({ after }) => after)), repeated: Math.max(...fates.map(({ repeated }) => repeated)) });
}

/** What hilo must reach: a figure, or its ratio to the floor. */
interface Target {
  what: string;
  figure: string;
  must: number;
  unit: "ratio" | "KB" | "ms" | "count";
}

const TARGETS: Target[] = [
  { what: "all bytes to the first event", figure: "firstBytes", must: 24.576, unit: "KB" },
  { what: "load + init until the first event", figure: "firstMs", must: 4, unit: "ratio" },
  { what: "cold start", figure: "cold1", must: 1.4, unit: "ratio" },
  { what: "cold start, processor ÷4", figure: "cold4", must: 1.4, unit: "ratio" },
  { what: "cold start, ÷4 on a slow link", figure: "slow", must: 1.4, unit: "ratio" },
  { what: "one track() call", figure: "us", must: 10, unit: "ratio" },
  { what: "longest of 1,000 calls", figure: "longestMs", must: 4, unit: "ms" },
  { what: "a visit at once: bytes per event", figure: "onceBytes", must: 1.4, unit: "ratio" },
  { what: "a visit at once: requests", figure: "onceRequests", must: 4, unit: "count" },
  { what: "an act each 2 s: bytes per event", figure: "slowlyBytes", must: 1.2, unit: "ratio" },
  { what: "an act each 2 s: requests", figure: "slowlyRequests", must: 12, unit: "count" },
  { what: "events lost in the worst of six faults", figure: "lost", must: 0, unit: "count" },
  { what: "events that came twice, before the collector's check", figure: "repeated", must: 50, unit: "count" },
];

/** Each target beside the figure of `hilo`. */
export function targets(hilo: Measured, floor: Measured) {
  return TARGETS.map(({ what, figure, must, unit }) => {
    const value = unit === "ratio" ? ratio(hilo, floor, figure) : median(hilo, figure) / (unit === "KB" ? 1_000 : 1);
    return { what, value: Number(value.toFixed(3)), must, unit, isMet: value <= must };
  });
}

export function targetTable(hilo: Measured, floor: Measured): string {
  const sign = { ratio: "×", KB: "KB ", ms: "ms ", count: "" };
  const rows = targets(hilo, floor).map(({ what, value, must, unit, isMet }) => [what, Number.isNaN(value) ? "–" : `${sign[unit]}${value}`, `${sign[unit]}${must}`, isMet ? "met" : Number.isNaN(value) ? "not measured" : "**missed**"]);
  return table(["target", "hilo", "must", ""], rows);
}
