/**
 * What a cart must be after all messages: a second opinion, written from cart.md alone.
 *
 * In: every message that was ever sent, repeats too, and the last operation that the hub has applied of each replica. Out: lines with
 * their quantities. Knows no join, no revision and no order: a dot is live if an applied message puts it and no applied message drops it.
 */
type Dot = [replica: string, n: number];

/** A message to the hub, as far as it matters. */
export interface Ops {
  replica: string;
  from: number;
  to: number;
  put: [line: string[], dot: Dot, kind: string, units: number, used?: Record<string, number>][];
  drop: Dot[];
}

const QUANTITY_MAX = 9_999;

/** `applied` is the hub's gapless prefix per replica. */
export function oracle(sent: Ops[], applied: Record<string, number>): [string, number][] {
  const live = new Map<string, { variant: string; kind: string; units: number; used: Record<string, number> }>();
  const dropped = new Set<string>();
  for (const { to, replica, put, drop } of sent) {
    // A message that the hub never took does not count. A later message makes its operations anew under another name.
    if (to > (applied[replica] ?? 0)) continue;
    for (const dot of drop) dropped.add(dot.join("."));
    for (const [[variant], dot, kind, units, used = {}] of put) {
      const known = live.get(dot.join("."));
      const entry = known ?? { variant: variant!, kind, units, used: {} };
      for (const [replica, taken] of Object.entries(used)) entry.used[replica] = Math.max(entry.used[replica] ?? 0, taken);
      live.set(dot.join("."), entry);
    }
  }
  const lines = new Map<string, { added: number; set: number }>();
  for (const [dot, { variant, kind, units, used }] of live) {
    if (dropped.has(dot)) continue;
    const left = Math.max(0, units - Object.values(used).reduce((sum, taken) => sum + taken, 0));
    const line = lines.get(variant) ?? { added: 0, set: 0 };
    if (kind === "set") line.set = Math.max(line.set, left);
    else line.added += left;
    lines.set(variant, line);
  }
  const quantities = [...lines].map(([variant, { added, set }]): [string, number] => [variant, Math.min(added + set, QUANTITY_MAX)]);
  return quantities.filter(([, quantity]) => quantity > 0).sort();
}
