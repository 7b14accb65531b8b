/**
 * Moments as they are typed and kept in an address, in the viewer's time zone: a day, `2026-11-22`, or a day with a
 * time of it, `2026-11-22T14:30`.
 */

import { startOfDay } from './time.ts';

const WITH_TIME = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d)$/;

function instantOf(moment: string, daysLater: number): string | undefined {
  const match = WITH_TIME.exec(moment);
  if (match === null) return startOfDay(moment, daysLater);
  const start = startOfDay(match[1] ?? '');
  if (start === undefined) return undefined;
  const instant = new Date(start);
  // By the clock on the wall: 14:30 is 14:30 on the day on which the clocks change, too.
  instant.setHours(Number(match[2]), Number(match[3]));
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

const two = (value: number): string => value.toString().padStart(2, '0');

function written(date: Date): string {
  const day = `${date.getFullYear().toString().padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const atMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  return atMidnight ? day : `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** How a span that begins at this instant is written: a day alone where it begins with the day. */
export function asFromMoment(instant: string): string {
  return written(new Date(instant));
}

/** How a span that ends before this instant is written: the last day of it where it ends with a day. */
export function asUntilMoment(instant: string): string {
  const end = new Date(instant);
  if (end.getHours() !== 0 || end.getMinutes() !== 0) return written(end);
  return written(new Date(end.getFullYear(), end.getMonth(), end.getDate() - 1));
}

/** The day that it is for the viewer, or was so many days ago. */
export function dayOf(now: Date, daysAgo = 0): string {
  return written(new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo)).slice(0, 10);
}
