import { describe, expect, it } from 'vitest';

import { amount, csvFormat, exportName, toCsv } from './csv.ts';

const GERMAN = csvFormat('de-DE');
const AMERICAN = csvFormat('en-US');
const text = (value: string, format = AMERICAN): string => toCsv([{ header: 'text', cell: () => value }], [0], format).slice('\uFEFFtext\r\n'.length);

/** The cells that a program makes of a line when it splits at this separator, quotes or not. */
function pieces(line: string, separator: string): readonly string[] {
  return line.split(separator).flatMap((piece) => piece.split(/\r?\n/)).map((piece) => piece.replace(/^[\s"]+/, ''));
}

describe('a CSV in a spreadsheet of any locale', () => {
  it('is split and read as the locale does', () => {
    const columns = [
      { header: 'amount', cell: () => amount(-1205, 'USD') },
      { header: 'reason', cell: () => 'a;b' },
    ];
    expect(toCsv(columns, [0], GERMAN)).toBe('\uFEFFamount;reason\r\n-12,05;"a;b"\r\n');
    expect(toCsv(columns, [0], AMERICAN)).toBe('\uFEFFamount,reason\r\n-12.05,"a;b"\r\n');
  });

  it.each([
    ['de-DE', ';', ','],
    ['fr-FR', ';', ','],
    ['pt-BR', ';', ','],
    ['en-US', ',', '.'],
    ['en-GB', ',', '.'],
    ['ja-JP', ',', '.'],
    ['de-CH', ',', '.'],
  ])('of %s splits at %s and has the decimal sign %s', (locale, separator, decimalSign) => {
    expect(csvFormat(locale)).toEqual({ separator, decimalSign });
  });

  it.each([
    'a;=1+1',
    'a\t=1+1',
    'a,=1+1',
    'a\n=1+1',
    'a\r\n+1',
    'a; @SUM(A1)',
    'a;"=1+1"',
    "a;'=1+1'",
    'a;;-1',
    '=1;=2;=3',
    'x|=1',
    '"=1"',
    ' ;＝1',
  ])('runs no formula in %j, wherever the line is split', (reason) => {
    const line = text(reason);
    for (const separator of [',', ';', '\t', '|']) {
      for (const piece of pieces(line, separator)) expect(piece).not.toMatch(/^["\s]*[=+\-@＝＋－＠]/);
    }
  });

  it.each(['a;b', 'a\tb', 'a,b', 'a\nb', 'say "no"', ' padded '])('quotes %j', (reason) => {
    expect(text(reason)).toBe(`"${reason.replaceAll('"', '""')}"\r\n`);
  });
});

describe('a code or an id', () => {
  it.each([
    '00123',
    '1E5',
    '1e10',
    '12345678901234567890',
    'MAR-01',
    'DEC10',
    '1-2',
    '3/4',
    '12-MAY',
    '12:30',
    '2026-11-22',
    'TRUE',
    'falsch',
    '$5',
    '50%',
    '1.234,5',
    '0123456789e0123456789012345678901234567890123456789012345678901',
  ])('%j stays text', (code) => {
    expect(text(code)).toContain(`'${code}`);
  });

  it.each([
    'AUTUMN-10',
    'Scratched',
    'May it be so',
    '2 units came back',
    '123e4567-e89b-12d3-a456-426614174000',
    '4cd60c20af4c876bc5340fdfea8b364eac0c36cfa7e6e934661e0f626b13221f',
    'shp_59904714caa2412e9f0bffca822e409d',
    '2026-11-22T17:36:15.122328Z',
    'Marlene',
  ])('%j needs nothing', (code) => {
    expect(text(code)).toBe(`${code}\r\n`);
  });
});

describe('the name of an export', () => {
  it.each([
    [['purchases', 'REFUNDED', 'from 2026-11-01T09:30', '', 'on 2026-11-22'], 'purchases-refunded-from-2026-11-01t09-30-on-2026-11-22'],
    [['customers', 'matching Søren / “x”', '2026-11-22'], 'customers-matching-søren-x-2026-11-22'],
    [['promo-codes', undefined, '2026-11-22'], 'promo-codes-2026-11-22'],
    [['customers', '../../etc', ''], 'customers-etc'],
  ])('%j is %s', (parts, name) => {
    expect(exportName(...parts)).toBe(name);
  });
});
