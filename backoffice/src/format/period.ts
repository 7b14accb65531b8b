/** The periods that a statement can be of, in UTC. */
export const PERIODS = [
  { value: 'everything', label: 'Everything so far' },
  { value: 'this-month', label: 'This month' },
  { value: 'last-month', label: 'Last month' },
  { value: 'this-year', label: 'This year' },
  { value: 'last-year', label: 'Last year' },
] as const;

export type Period = (typeof PERIODS)[number]['value'];

/** From `from` on until before `to`, as the API takes them. */
export interface Bounds {
  readonly from?: string;
  readonly to?: string;
}

/** The bounds of a period. One that goes on has no end: the API takes no time in the future. */
export function boundsOf(period: Period, now: Date): Bounds {
  const year = now.getUTCFullYear();
  const month = now.getUTCMonth();
  switch (period) {
    case 'everything':
      return {};
    case 'this-month':
      return { from: startOf(year, month) };
    case 'last-month':
      return { from: startOf(year, month - 1), to: startOf(year, month) };
    case 'this-year':
      return { from: startOf(year) };
    case 'last-year':
      return { from: startOf(year - 1), to: startOf(year) };
  }
}

function startOf(year: number, month = 0): string {
  return new Date(Date.UTC(year, month)).toISOString();
}
