/**
 * Moments as they are typed, in the viewer's time zone: a day, `2026-11-22`, or a day with a
 * time of it, `2026-11-22T14:30`, with seconds where it has some.
 */

import { dayError, startOfDay } from './time.ts';

const WITH_TIME = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{3}))?)?$/;

function instantOf(moment: string, daysLater: number): string | undefined {
  const match = WITH_TIME.exec(moment);
  if (match === null) return startOfDay(moment, daysLater);
  const [, day = '', hours, minutes, seconds = '0', milliseconds = '0'] = match;
  const start = startOfDay(day);
  if (start === undefined) return undefined;
  const instant = new Date(start);
  // By the clock on the wall: 14:30 is 14:30 on the day on which the clocks change, too.
  instant.setHours(Number(hours), Number(minutes), Number(seconds), Number(milliseconds));
  // The clocks skip this time on that day; Date would take another.
  if (instant.getHours() !== Number(hours) || instant.getMinutes() !== Number(minutes)) return undefined;
  return instant.toISOString();
}

/** The instant at which a span that begins with this moment begins: a day's first. Undefined if it is no moment. */
export function fromMoment(moment: string): string | undefined {
  return instantOf(moment, 0);
}

/** The instant before which a span that ends with this moment ends: a day is still part of it. */
export function untilMoment(moment: string): string | undefined {
  return instantOf(moment, 1);
}

/** What is wrong with a moment that is typed, if anything is. */
export function momentError(moment: string): string | undefined {
  const [day = ''] = moment.split('T');
  const wrong = dayError(day);
  if (wrong !== undefined || fromMoment(moment) !== undefined || !WITH_TIME.test(moment)) return wrong;
  return 'The clocks skip this time on that day.';
}

const two = (value: number): string => value.toString().padStart(2, '0');

function writtenDay(date: Date): string {
  return `${date.getFullYear().toString().padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The first instant of its day, which is not midnight everywhere. */
function beginsItsDay(date: Date): boolean {
  return startOfDay(writtenDay(date)) === date.toISOString();
}

function writtenWithTime(date: Date): string {
  const [seconds, milliseconds] = [date.getSeconds(), date.getMilliseconds()];
  const fraction = milliseconds === 0 ? '' : `.${milliseconds.toString().padStart(3, '0')}`;
  const rest = seconds === 0 && milliseconds === 0 ? '' : `:${two(seconds)}${fraction}`;
  return `${writtenDay(date)}T${two(date.getHours())}:${two(date.getMinutes())}${rest}`;
}

/** How a span that begins at this instant is written: a day alone where it begins with the day. */
export function asFromMoment(instant: string): string {
  const date = new Date(instant);
  return beginsItsDay(date) ? writtenDay(date) : writtenWithTime(date);
}

/** How a span that ends before this instant is written: the last day of it where it ends with a day. */
export function asUntilMoment(instant: string): string {
  const end = new Date(instant);
  // The day of the instant before: the day before by the calendar may not exist.
  return beginsItsDay(end) ? writtenDay(new Date(end.getTime() - 1)) : writtenWithTime(end);
}

/** One end of a span: the instant that a moment means, and the moment by which an instant is shown. */
export interface SpanEnd {
  readonly instantOf: (moment: string) => string | undefined;
  readonly momentOf: (instant: string) => string;
}

export const SPAN_FROM: SpanEnd = { instantOf: fromMoment, momentOf: asFromMoment };
export const SPAN_UNTIL: SpanEnd = { instantOf: untilMoment, momentOf: asUntilMoment };

/**
 * The instant that an address names for one end of a span. An address holds instants in UTC, because a link has to mean
 * the same in every time zone; older links hold moments of the viewer's time zone.
 */
export function instantIn(address: string, { instantOf, momentOf }: SpanEnd): string | undefined {
  const at = Date.parse(address);
  if (Number.isNaN(at) || new Date(at).toISOString() !== address) return instantOf(address);
  // A year that cannot be typed is not taken from an address either.
  return instantOf(momentOf(address)) === undefined ? undefined : address;
}

/** The day that it is for the viewer, or was so many days ago. */
export function dayOf(now: Date, daysAgo = 0): string {
  // At noon, which exists on every day.
  return writtenDay(new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo, 12));
}
