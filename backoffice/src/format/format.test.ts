import { describe, expect, it } from 'vitest';

import { amount, toCsv, whole } from './csv.ts';
import { formatMoney, minorDigits, parseAmount, toDecimal, withLocalMoney } from './money.ts';
import { exactUtc, formatInstant, formatRelative, startOfDay } from './time.ts';

describe('money', () => {
  it.each([
    [1250, 'USD', '12.50'],
    [5, 'USD', '0.05'],
    [0, 'USD', '0.00'],
    [-1250, 'USD', '-12.50'],
    [-5, 'USD', '-0.05'],
    [1250, 'JPY', '1250'],
    [1250, 'KWD', '1.250'],
    [9_007_199_254_740_991, 'USD', '90071992547409.91'],
  ])('writes %i %s as %s', (minor, currency, decimal) => {
    expect(toDecimal(minor, currency)).toBe(decimal);
  });

  it.each([1.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1])('refuses %d, which is no whole number of minor units', (minor) => {
    expect(() => toDecimal(minor, 'USD')).toThrow(RangeError);
  });

  it.each([
    ['en-US', 1250, '$12.50'],
    ['de-DE', 1250, '12,50 $'],
    ['en-US', -1250, '-$12.50'],
    ['en-US', 9_007_199_254_740_991, '$90,071,992,547,409.91'],
  ])('is written as %s writes it', (locale, minor, shown) => {
    expect(formatMoney(minor, 'USD', { locale }).replaceAll(/\s/g, ' ')).toBe(shown);
  });

  it('has a sign where it is a movement', () => {
    expect(formatMoney(1250, 'USD', { locale: 'en-US', signed: true })).toBe('+$12.50');
    expect(formatMoney(0, 'USD', { locale: 'en-US', signed: true })).toBe('$0.00');
  });

  it('knows the minor digits of a currency', () => {
    expect(['USD', 'JPY', 'KWD'].map(minorDigits)).toEqual([2, 0, 3]);
  });
});

describe('a typed amount', () => {
  it.each([
    ['12.50', 1250],
    ['12,50', 1250],
    ['12.5', 1250],
    ['12', 1200],
    [' 12.50 ', 1250],
    ['0.01', 1],
    ['007', 700],
    // 0.1 + 0.2, 1.005, 4.35, 1.15: all of them go wrong by floating point.
    ['0.30', 30],
    ['4.35', 435],
    ['1.15', 115],
    ['1000000000', 100_000_000_000],
  ])('%s is %i', (text, minor) => {
    expect(parseAmount(text, 'USD')).toEqual({ ok: true, minor });
  });

  it.each([
    ['$1,234.50', 'USD', 123450],
    ['1,234.50', 'USD', 123450],
    ['1.234,50 $', 'USD', 123450],
    ['USD 12', 'USD', 1200],
    ['12 USD', 'USD', 1200],
    ['1\u00a0234,50', 'USD', 123450],
    ['1 250', 'USD', 125000],
    ['1\u2009250', 'USD', 125000],
    ['1\u202f250', 'USD', 125000],
    ['1,234,567', 'USD', 123456700],
    ['12,34,567.00', 'USD', 123456700],
    ['¥1,250', 'JPY', 1250],
    ['1,250.000', 'KWD', 1250000],
  ])('%j is read as it is displayed', (text, currency, minor) => {
    expect(parseAmount(text, currency)).toEqual({ ok: true, minor });
  });

  it.each([5, 123_450, 99_999_999_999])('takes %i as it writes it', (minor) => {
    expect(parseAmount(formatMoney(minor, 'USD'), 'USD')).toEqual({ ok: true, minor });
  });

  it('writes the amounts in a sentence of the API as the viewer has them', () => {
    expect(withLocalMoney('1234.50 USD are needed and 0.00 USD are available.', 'en-US')).toBe('$1,234.50 are needed and $0.00 are available.');
    expect(withLocalMoney('12.5 USD and 7 SKU and 3 OK', 'en-US')).toBe('12.5 USD and 7 SKU and 3 OK');
  });

  it.each([
    ['', 'Enter an amount.'],
    ['   ', 'Enter an amount.'],
    ['-5', 'without a sign'],
    ['−5', 'without a sign'],
    ['0', 'above zero'],
    ['0.00', 'above zero'],
    ['1.005', '2 decimal places'],
    // 1250 to some, 1.25 to others: not guessed.
    ['1,250', '2 decimal places'],
    ['1.250', '2 decimal places'],
    ['€12', 'like 12.50'],
    // Two cells of a spreadsheet.
    ['3\t250', 'like 12.50'],
    ['3\n250', 'like 12.50'],
    ['1,25,00', 'like 12.50'],
    ['1,234,50', 'like 12.50'],
    ['1.234,567.00', 'like 12.50'],
    ['1e3', 'like 12.50'],
    ['0x10', 'like 12.50'],
    ['.5', 'like 12.50'],
    ['12.', 'like 12.50'],
    ['Infinity', 'like 12.50'],
    ['١٢', 'like 12.50'],
    ['1000000000.01', 'larger than'],
    ['99999999999999999999999', 'larger than'],
  ])('%j is refused', (text, message) => {
    const parsed = parseAmount(text, 'USD');
    expect(parsed).toMatchObject({ ok: false });
    expect(parsed.ok ? '' : parsed.message).toContain(message);
  });

  it('follows the digits of its currency', () => {
    expect(parseAmount('1250', 'JPY')).toEqual({ ok: true, minor: 1250 });
    expect(parseAmount('12.5', 'JPY')).toMatchObject({ ok: false });
    expect(parseAmount('1.250', 'KWD')).toEqual({ ok: true, minor: 1250 });
  });

  it('reads back what toDecimal wrote', () => {
    for (let minor = 1; minor < 100_000; minor += 37) {
      expect(parseAmount(toDecimal(minor, 'USD'), 'USD')).toEqual({ ok: true, minor });
    }
  });
});

describe('time', () => {
  it('is told exactly in UTC, with every digit', () => {
    expect(exactUtc('2026-11-22T17:36:15.122328Z')).toBe('2026-11-22 17:36:15.122328 UTC');
    expect(exactUtc('2026-11-22T17:36:15+00:00')).toBe('2026-11-22 17:36:15 UTC');
    expect(exactUtc('2026-11-22T17:36:15+02:00')).toBe('2026-11-22 15:36:15.000 UTC');
  });

  it('is written in the locale and the time zone of the viewer', () => {
    const shown = formatInstant('2026-11-22T17:36:15Z', { locale: 'en-GB', timeZone: 'Europe/Berlin' });
    expect(shown).toBe('22 Nov 2026, 18:36');
  });

  it.each([
    ['2026-11-22T20:00:00Z', 'in 3 hours'],
    ['2026-11-20T17:00:00Z', '2 days ago'],
    ['2026-11-22T17:59:31Z', 'in 59 minutes'],
    ['2026-11-22T17:00:30Z', 'in 30 seconds'],
  ])('%s is %s', (instant, shown) => {
    expect(formatRelative(instant, new Date('2026-11-22T17:00:00Z'), 'en')).toBe(shown);
  });

  it('begins a day where the viewer is', () => {
    expect(startOfDay('2026-11-22')).toBe(new Date(2026, 10, 22).toISOString());
    expect(startOfDay('2026-12-31', 1)).toBe(new Date(2027, 0, 1).toISOString());
    expect(['', '2026-02-31', 'yesterday'].map((day) => startOfDay(day))).toEqual([undefined, undefined, undefined]);
  });
});

describe('CSV', () => {
  interface Row {
    readonly text: string | null;
    readonly minor: number;
  }
  const columns = [
    { header: 'Reason', cell: (row: Row) => row.text },
    { header: 'Amount', cell: (row: Row) => amount(row.minor, 'USD') },
    { header: 'Units', cell: () => whole(2) },
  ];
  const csv = (...rows: readonly Row[]) => toCsv(columns, rows);

  it('begins with a byte order mark and ends each line as RFC 4180 says', () => {
    expect(csv({ text: 'Broken', minor: 1250 })).toBe('\uFEFFReason,Amount,Units\r\nBroken,12.50,2\r\n');
  });

  it('quotes what needs it', () => {
    expect(csv({ text: 'He said "no", then\r\nyes', minor: 0 })).toContain('"He said ""no"", then\r\nyes",0.00');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '  =1', '＝1'])('makes %j harmless', (text) => {
    expect(csv({ text, minor: 0 })).toContain(`'${text}`);
  });

  it('keeps negative amounts as numbers', () => {
    expect(csv({ text: null, minor: -1250 })).toContain('\r\n,-12.50,2\r\n');
  });

  it('writes nothing as a number that is none', () => {
    expect(() => toCsv([{ header: 'x', cell: () => ({ decimal: '=1' }) }], [0])).toThrow(RangeError);
  });
});
