import { afterEach, describe, expect, it } from 'vitest';

import { asFromMoment, asUntilMoment, dayOf, fromMoment, instantIn, momentError, SPAN_FROM, SPAN_UNTIL, untilMoment } from './moment.ts';
import { startOfDay } from './time.ts';

const home = process.env['TZ'];
afterEach(() => {
  if (home === undefined) delete process.env['TZ'];
  else process.env['TZ'] = home;
});

/** Node reads TZ again when it is set. */
function inZone(zone: string): void {
  process.env['TZ'] = zone;
}

const ZONES = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'America/St_Johns',
  // Where clocks change at midnight.
  'America/Santiago',
  'America/Havana',
  'America/Asuncion',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Sao_Paulo',
];

describe('a day', () => {
  it.each([
    // Clocks skip from 00:00 to 01:00.
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00.000Z', '2026-09-07T03:00:00.000Z'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z'],
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
    // Two midnights: clocks go back from 01:00 to 00:00.
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    // 23 and 25 hours.
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
  ])('in %s, %s, is all of it', (zone, day, from, until) => {
    inZone(zone);
    expect([fromMoment(day), untilMoment(day)]).toEqual([from, until]);
    expect([asFromMoment(from), asUntilMoment(until)]).toEqual([day, day]);
  });

  it('that a zone skipped is none, and the one before it ends where the one after it begins', () => {
    inZone('Pacific/Apia');
    expect(fromMoment('2011-12-30')).toBeUndefined();
    expect(momentError('2011-12-30')).toBe('Enter a day of the calendar.');
    const end = untilMoment('2011-12-29') ?? '';
    expect(end).toBe(fromMoment('2011-12-31'));
    expect(asUntilMoment(end)).toBe('2011-12-29');
  });

  it.each(ZONES)('in %s is shown as it would be written back, on every day of three years', (zone) => {
    inZone(zone);
    for (let n = 0; n < 3 * 365; n += 1) {
      const day = dayOf(new Date(2025, 0, 1 + n, 12));
      const [from, until] = [fromMoment(day), untilMoment(day)];
      expect(from).toBeDefined();
      expect([asFromMoment(from ?? ''), asUntilMoment(until ?? '')]).toEqual([day, day]);
      expect(startOfDay(day, 1)).toBe(until);
    }
  });
});

describe('an instant', () => {
  it.each(ZONES)('in %s is shown as it would be written back, to the millisecond', (zone) => {
    inZone(zone);
    const start = Date.parse('2026-01-01T00:00:00Z');
    let ambiguous = 0;
    for (let n = 0; n < 4_000; n += 1) {
      const instant = new Date(start + n * 7_891_011).toISOString();
      const back = fromMoment(asFromMoment(instant));
      // An hour that the clocks show twice can be typed once only.
      if (back !== instant && Math.abs(Date.parse(back ?? '') - Date.parse(instant)) <= 3_600_000) ambiguous += 1;
      else expect(back).toBe(instant);
      const end = untilMoment(asUntilMoment(instant));
      if (end !== instant) expect(Math.abs(Date.parse(end ?? '') - Date.parse(instant))).toBeLessThanOrEqual(3_600_000);
    }
    expect(ambiguous).toBeLessThanOrEqual(2);
  });

  it.each([
    ['2026-11-22T23:59:59.000Z', '2026-11-22T23:59:59'],
    ['2026-11-22T23:59:59.999Z', '2026-11-22T23:59:59.999'],
    ['2026-11-22T14:30:00.000Z', '2026-11-22T14:30'],
  ])('%s shows its seconds if it has any: %s', (instant, moment) => {
    inZone('UTC');
    expect([asFromMoment(instant), asUntilMoment(instant)]).toEqual([moment, moment]);
    expect([fromMoment(moment), untilMoment(moment)]).toEqual([instant, instant]);
  });

  it('that the clocks skip is asked about', () => {
    inZone('Europe/Berlin');
    expect(fromMoment('2026-03-29T02:30')).toBeUndefined();
    expect(momentError('2026-03-29T02:30')).toBe('The clocks skip this time on that day.');
    expect(fromMoment('2026-03-29T03:30')).toBe('2026-03-29T01:30:00.000Z');
  });
});

describe('an end of a span in an address', () => {
  it('is an instant, the same in every time zone, and shown in the viewer’s', () => {
    inZone('America/New_York');
    const [from, to] = [fromMoment('2026-11-20') ?? '', untilMoment('2026-11-22') ?? ''];
    inZone('Europe/Berlin');
    expect([instantIn(from, SPAN_FROM), instantIn(to, SPAN_UNTIL)]).toEqual([from, to]);
    expect([SPAN_FROM.momentOf(from), SPAN_UNTIL.momentOf(to)]).toEqual(['2026-11-20T06:00', '2026-11-23T06:00']);
  });

  it('is a moment of the viewer’s time zone in an older link', () => {
    inZone('Europe/Berlin');
    expect([instantIn('2026-11-20', SPAN_FROM), instantIn('2026-11-22', SPAN_UNTIL)]).toEqual(['2026-11-19T23:00:00.000Z', '2026-11-22T23:00:00.000Z']);
    expect(instantIn('2026-11-22T14:30', SPAN_UNTIL)).toBe('2026-11-22T13:30:00.000Z');
  });

  it('keeps an instant of the hour that the clocks show twice', () => {
    inZone('Europe/Berlin');
    for (const instant of ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']) expect(instantIn(instant, SPAN_FROM)).toBe(instant);
  });

  it.each(['', 'yesterday', '2026-02-31T00:00:00.000Z', '2026-13-01T00:00:00.000Z', '0026-11-22T12:00:00.000Z', '1', '+010000-01-02T00:00:00.000Z'])(
    'is not %j',
    (address) => {
      expect([instantIn(address, SPAN_FROM), instantIn(address, SPAN_UNTIL)]).toEqual([undefined, undefined]);
    },
  );
});

describe('a year', () => {
  it.each([
    ['0026-11-22', 'Is the year 2026? Enter it with four digits.'],
    ['0002-11-22', 'Is the year 2002? Enter it with four digits.'],
    ['0202-11-22', 'Enter the year with four digits.'],
    ['0026-11-22T14:30', 'Is the year 2026? Enter it with four digits.'],
    ['2026-02-31', 'Enter a day of the calendar.'],
    ['2026-11-22', undefined],
    ['', undefined],
    ['yesterday', undefined],
  ])('of %s: %s', (moment, error) => {
    expect(momentError(moment)).toBe(error);
    if (error !== undefined) expect([fromMoment(moment), untilMoment(moment)]).toEqual([undefined, undefined]);
  });
});
