/** Times as the API has them: RFC 3339 in UTC, `2026-11-22T17:36:15.122328Z`. */

interface TimeFormat {
  /** The viewer's own, unless told otherwise. */
  readonly locale?: string | undefined;
  /** The viewer's own, unless told otherwise. */
  readonly timeZone?: string | undefined;
}

/** A date and time in the viewer's locale and time zone: `Nov 22, 2026, 5:36 PM`. */
export function formatInstant(instant: string, { locale, timeZone }: TimeFormat = {}): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(new Date(instant));
}

/** A date in the viewer's locale and time zone: `Nov 22, 2026`. */
export function formatDate(instant: string, { locale, timeZone }: TimeFormat = {}): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone }).format(new Date(instant));
}

/** The exact time in UTC, with every digit that the API told: `2026-11-22 17:36:15.122328 UTC`. */
export function exactUtc(instant: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?:Z|\+00:00)$/.exec(instant);
  if (match !== null) return `${match[1]} ${match[2]} UTC`;
  return `${new Date(instant).toISOString().slice(0, -1).replace('T', ' ')} UTC`;
}

const STEPS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

const A_MINUTE = 60_000;
const A_WEEK = 7 * 86_400_000;

/** A time as a rep thinks of it: `3 hours ago` within a week, and the date and time beyond. `now` is exact to a minute. */
export function formatNear(instant: string, now: number): string {
  const distance = Math.abs(Date.parse(instant) - now);
  if (distance < A_MINUTE) return 'just now';
  return distance < A_WEEK ? formatRelative(instant, new Date(now)) : formatInstant(instant);
}

/** How far away a time is: `in 3 hours`, `2 days ago`. */
export function formatRelative(instant: string, now: Date, locale?: string): string {
  const distance = new Date(instant).getTime() - now.getTime();
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  for (const [unit, length] of STEPS) {
    if (Math.abs(distance) >= length) return format.format(Math.trunc(distance / length), unit);
  }
  return format.format(Math.trunc(distance / 1000), 'second');
}

/** The first year that is taken as it is typed: 26 is not the year 26, and not 1926 either. */
const FIRST_YEAR = 1900;

/**
 * The instant at which a day begins for the viewer, as the API takes it; `2026-11-22` from a date field.
 *
 * For a range that includes its last day, ask for the start of the day after (`daysLater: 1`). A day begins at its first
 * instant: 01:00 where the clocks skip midnight, and the first midnight where there are two.
 */
export function startOfDay(day: string, daysLater = 0): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (match === null) return undefined;
  const [year, month, date] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < FIRST_YEAR) return undefined;
  const start = new Date(year, month - 1, date);
  // 31 February is not a day; Date would make it 3 March. Some zones skipped a whole day.
  if (start.getMonth() !== month - 1 || start.getDate() !== date) return undefined;
  return new Date(year, month - 1, date + daysLater).toISOString();
}

/** What is wrong with a day of a date field, if anything is; a year that is being typed is asked about, not guessed. */
export function dayError(day: string): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (match === null || startOfDay(day) !== undefined) return undefined;
  const year = Number(match[1]);
  if (year < 100) return `Is the year ${2000 + year}? Enter it with four digits.`;
  if (year < FIRST_YEAR) return 'Enter the year with four digits.';
  return 'Enter a day of the calendar.';
}
