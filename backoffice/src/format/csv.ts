import { toDecimal } from './money.ts';

/** A decimal number as text, `-12.50`. Made by `decimal` or `amount`, and written as it is. */
export interface Decimal {
  readonly decimal: string;
}

/** A cell: text (escaped), a number, or nothing. */
export type Cell = string | Decimal | null | undefined;

/** A column of an export. */
export interface CsvColumn<T> {
  readonly header: string;
  readonly cell: (row: T) => Cell;
}

/** Money as a cell: a plain decimal number, to be calculated with. Put the currency in a column of its own. */
export function amount(minor: number, currency: string): Decimal {
  return { decimal: toDecimal(minor, currency) };
}

/** A whole number as a cell. */
export function whole(value: number): Decimal {
  return { decimal: value.toString() };
}

// Byte order mark: without it, a spreadsheet program takes the file for its own old encoding.
const BOM = '\uFEFF';

/** Where a program may split a line, whatever separator it expects. */
const AFTER_A_SPLIT = /(^|[;,\t\r\n|])(?=[\s"']*[=+\-@＝＋－＠])/g;

const MONTH = '(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z]*';

/** What a spreadsheet would turn into a number, a date, a time or a truth value: `00123`, `1E5`, `MAR-01`, `12:30`. */
const CONVERTED = [
  String.raw`[(]?[$€£¥]?\s?\d[\d.,'\s]*(?:e[+-]?\d+)?\s?[%$€£¥]?[)]?`,
  String.raw`\d{1,4}[-/.\s]\d{1,2}(?:[-/.\s]\d{1,4})?`,
  String.raw`\d{1,4}[-/.\s]?${MONTH}(?:[-/.\s]?\d{1,4})?`,
  String.raw`${MONTH}[-/.\s]?\d{1,4}(?:[-/.,\s]+\d{1,4})?`,
  String.raw`\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?`,
  'true|false|wahr|falsch|vrai|faux|verdadero|falso|vero',
].map((pattern) => new RegExp(String.raw`^\s*(?:${pattern})\s*$`, 'i'));

/**
 * Text as a spreadsheet keeps it: an apostrophe stands before what it would take for a formula, so that a reason like
 * `=HYPERLINK(...)` is shown and not run, at every place where it may split the line; and before what it would convert,
 * so that the code `1E5` stays what it is.
 */
function harmless(text: string): string {
  return CONVERTED.some((pattern) => pattern.test(text)) ? `'${text}` : text.replaceAll(AFTER_A_SPLIT, "$1'");
}

/** How spreadsheets of a locale read a file: where the comma is the decimal sign, the semicolon separates. */
export interface CsvFormat {
  readonly separator: ',' | ';';
  readonly decimalSign: '.' | ',';
}

/** The format for the viewer's locale, unless told otherwise. */
export function csvFormat(locale?: string): CsvFormat {
  const parts = new Intl.NumberFormat(locale).formatToParts(1.5);
  const usesComma = parts.some(({ type, value }) => type === 'decimal' && value === ',');
  return usesComma ? { separator: ';', decimalSign: ',' } : { separator: ',', decimalSign: '.' };
}

function field(cell: Cell, { decimalSign }: CsvFormat): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'object') {
    if (!/^-?\d+(\.\d+)?$/.test(cell.decimal)) throw new RangeError(`${cell.decimal} is no decimal number`);
    return cell.decimal.replace('.', decimalSign);
  }
  const text = harmless(cell);
  return /[",;\t\r\n|]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function line(cells: readonly Cell[], format: CsvFormat): string {
  return `${cells.map((cell) => field(cell, format)).join(format.separator)}\r\n`;
}

/** How a CSV file begins: a byte order mark, and the names of the columns. */
export function csvHeader<T>(columns: readonly CsvColumn<T>[], format: CsvFormat = csvFormat()): string {
  return BOM + line(columns.map(({ header }) => header), format);
}

/** Rows as lines of a CSV file by RFC 4180, as spreadsheets of the locale read them. */
export function csvRows<T>(columns: readonly CsvColumn<T>[], rows: readonly T[], format: CsvFormat = csvFormat()): string {
  return rows.map((row) => line(columns.map(({ cell }) => cell(row)), format)).join('');
}

/** A whole CSV file. */
export function toCsv<T>(columns: readonly CsvColumn<T>[], rows: readonly T[], format: CsvFormat = csvFormat()): string {
  return csvHeader(columns, format) + csvRows(columns, rows, format);
}

/** The name of an export, without its ending, that says what is in it: `exportName('purchases', 'REFUNDED', '', day)`. */
export function exportName(...parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== '')
    .map((part) => part?.normalize('NFC').toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, ''))
    .filter((part) => part !== '')
    .join('-')
    .slice(0, 150);
}
