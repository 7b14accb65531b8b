const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

interface DurationFormat {
  /** The viewer's own, unless told otherwise. */
  readonly locale?: string | undefined;
  readonly width?: 'long' | 'short';
}

/** How long something is, in its two largest units: `1 day, 3 hours`. Never rounded up: what is left, is left. */
export function formatDuration(milliseconds: number, { locale, width = 'long' }: DurationFormat = {}): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000)) * 1000;
  const found = UNITS.findIndex(([, length]) => seconds >= length);
  const largest = found === -1 ? UNITS.length - 1 : found;
  let rest = seconds;
  const parts: string[] = [];
  for (const [unit, length] of UNITS.slice(largest, largest + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 || parts.length === 0) {
      parts.push(new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: width }).format(count));
    }
  }
  return new Intl.ListFormat(locale, { type: 'unit', style: width }).format(parts);
}
