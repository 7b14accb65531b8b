import type { Entry } from '../../api/types.ts';

/** A point of the line: from this time on, the balance was this. */
export interface BalancePoint {
  /** Milliseconds. */
  readonly at: number;
  readonly balance: number;
  /** The movement that made it so; none at the end of the line, which is now. */
  readonly entry: Entry | undefined;
}

/** The line of the balance: a step at each movement, and on to now. */
export function balanceLine(entries: readonly Entry[], now: number): readonly BalancePoint[] {
  const points = entries.map((entry) => ({ at: Date.parse(entry.created_at), balance: entry.balance_after, entry }));
  const last = points.at(-1);
  // A clock of the viewer's that is slow must not lead the line back.
  return last === undefined ? [] : [...points, { at: Math.max(now, last.at), balance: last.balance, entry: undefined }];
}

/** The balance before the first of these movements. */
export function balanceBefore(entries: readonly Entry[]): number {
  const first = entries[0];
  return first === undefined ? 0 : first.balance_after - first.amount;
}

/** The lowest and the highest balance that these movements led to. */
export function extremes(entries: readonly Entry[]): { readonly lowest: number; readonly highest: number } {
  return entries.reduce(
    ({ lowest, highest }, { balance_after }) => ({ lowest: Math.min(lowest, balance_after), highest: Math.max(highest, balance_after) }),
    { lowest: Infinity, highest: -Infinity },
  );
}
