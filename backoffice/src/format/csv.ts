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

/**
 * Text that a spreadsheet would take for a formula gets an apostrophe in front, so that a reason like
 * `=HYPERLINK(...)` is shown and not run.
 */
function harmless(text: string): string {
  return /^\s*[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text;
}

function field(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'object') {
    if (!/^-?\d+(\.\d+)?$/.test(cell.decimal)) throw new RangeError(`${cell.decimal} is no decimal number`);
    return cell.decimal;
  }
  const text = harmless(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV by RFC 4180, with a header, CRLF and a byte order mark. */
export function toCsv<T>(columns: readonly CsvColumn<T>[], rows: readonly T[]): string {
  const lines = [columns.map((column) => field(column.header)), ...rows.map((row) => columns.map((column) => field(column.cell(row))))];
  return BOM + lines.map((line) => `${line.join(',')}\r\n`).join('');
}

/** Hands a CSV file to the viewer. */
export function downloadCsv<T>(filename: string, columns: readonly CsvColumn<T>[], rows: readonly T[]): void {
  const url = URL.createObjectURL(new Blob([toCsv(columns, rows)], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = filename;
  link.click();
  // The download has begun once the click is over; the next task may let go of the data.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
