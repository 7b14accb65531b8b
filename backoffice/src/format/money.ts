/** Money as the API has it: a whole number of minor units (cents) with its currency. */

import { LARGEST_AMOUNT } from '../limits.ts';

const digitsByCurrency = new Map<string, number>();

/** How many minor digits a currency has: 2 for USD, 0 for JPY. */
export function minorDigits(currency: string): number {
  const known = digitsByCurrency.get(currency);
  if (known !== undefined) return known;
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  digitsByCurrency.set(currency, digits);
  return digits;
}

/** `1250` USD as `12.50`: a plain decimal number, the same in every locale. By text, so nothing is rounded. */
export function toDecimal(minor: number, currency: string): string {
  if (!Number.isSafeInteger(minor)) {
    throw new RangeError(`${minor} is no whole number of minor units`);
  }
  const digits = minorDigits(currency);
  const text = Math.abs(minor).toString().padStart(digits + 1, '0');
  const sign = minor < 0 ? '-' : '';
  if (digits === 0) return `${sign}${text}`;
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

interface MoneyFormat {
  /** The viewer's own, unless told otherwise. */
  readonly locale?: string | undefined;
  /** A plus sign where money comes in: for movements, not for balances. */
  readonly signed?: boolean;
}

/** `1250` USD as the viewer's locale writes it: `$12.50`, `12,50 $`. */
export function formatMoney(minor: number, currency: string, { locale, signed = false }: MoneyFormat = {}): string {
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    // `US$12.50` where a plain `$` could be several currencies.
    currencyDisplay: 'symbol',
    signDisplay: signed ? 'exceptZero' : 'auto',
  });
  // Given as text, Intl takes the decimal number exactly as it is.
  return format.format(toDecimal(minor, currency) as Intl.StringNumericLiteral);
}

const MONEY_IN_TEXT = /(-?)(\d+)(?:\.(\d+))? ([A-Z]{3})\b/g;

/** A sentence of the API with its amounts, `10.01 USD`, as the viewer's locale writes them. */
export function withLocalMoney(text: string, locale?: string): string {
  return text.replace(MONEY_IN_TEXT, (found, sign: string, whole: string, fraction: string | undefined, currency: string) => {
    const minor = Number(`${sign}${whole}${fraction ?? ''}`);
    const isAmount =
      Intl.supportedValuesOf('currency').includes(currency) && (fraction ?? '').length === minorDigits(currency) && Number.isSafeInteger(minor);
    return isAmount ? formatMoney(minor, currency, { locale }) : found;
  });
}

/** A typed amount, or what is wrong with it. */
export type ParsedAmount = { readonly ok: true; readonly minor: number } | { readonly ok: false; readonly message: string };

/**
 * Digits in groups: `1,234.50`, `1.234,50`, `12,34,567.00`, `1 234`. Of the spaces, only those that are written within a
 * number (plain, no-break, thin, narrow no-break): a tab stands between two cells of a spreadsheet.
 */
const GROUPED = /^\d{1,3}([.,'’ \u00a0\u2009\u202f])(?:\d{2,3}\1)*\d{3}(?:([.,])(\d+))?$/;

/**
 * An amount as it is displayed, as plain digits: without its currency, and without what groups its digits where that
 * can be nothing else. `1,250` may also be a decimal number: it stays as it is.
 */
function withoutDress(typed: string, currency: string): string {
  const symbols = (['symbol', 'narrowSymbol', 'code'] as const).map(
    (currencyDisplay) =>
      new Intl.NumberFormat(undefined, { style: 'currency', currency, currencyDisplay })
        .formatToParts(0)
        .find(({ type }) => type === 'currency')?.value ?? currency,
  );
  const symbol = symbols.find((one) => typed.startsWith(one) || typed.endsWith(one));
  const bare = (symbol === undefined ? typed : typed.startsWith(symbol) ? typed.slice(symbol.length) : typed.slice(0, -symbol.length)).trim();
  const [, group, point, fraction] = GROUPED.exec(bare) ?? [];
  const isGrouped =
    group !== undefined &&
    point !== group &&
    (point !== undefined || bare.split(group).length > 2 || !/[.,]/.test(group) || minorDigits(currency) === 0);
  if (!isGrouped) return bare;
  const whole = (point === undefined ? bare : bare.slice(0, bare.lastIndexOf(point))).replaceAll(group, '');
  return fraction === undefined ? whole : `${whole}.${fraction}`;
}

/**
 * Reads a typed amount exactly: `12.50`, `12,5` or `12` USD are 1250, 1250 and 1200, and so is `$12.50`, as it is
 * displayed.
 *
 * A point and a comma both are decimal signs, whatever the locale, for a rep may type what the customer's invoice
 * says. What could mean two amounts (`1,250` is 1250 to some and 1.25 to others) is refused, not guessed.
 */
export function parseAmount(text: string, currency: string): ParsedAmount {
  const digits = minorDigits(currency);
  const example = digits === 0 ? '1250' : `12.${'50'.padEnd(digits, '0')}`;
  const typed = text.trim();
  if (typed === '') return { ok: false, message: 'Enter an amount.' };
  if (/^[-−]/.test(typed)) return { ok: false, message: 'Enter the amount without a sign.' };
  const match = /^(\d+)(?:[.,](\d+))?$/.exec(withoutDress(typed, currency));
  if (match === null) {
    return { ok: false, message: `Enter an amount in ${currency}, like ${example}` };
  }
  const whole = match[1] ?? '';
  const fraction = match[2] ?? '';
  if (fraction.length > digits) {
    return {
      ok: false,
      message:
        digits === 0
          ? `${currency} has no decimal places: ${example}`
          : `${currency} has ${digits} decimal places. Enter the amount without thousands separators: ${example}`,
    };
  }
  const minorText = `${whole}${fraction.padEnd(digits, '0')}`.replace(/^0+(?=\d)/, '');
  // Compared by length first: a number with too many digits would be rounded before it could be compared.
  if (minorText.length > LARGEST_AMOUNT.toString().length || Number(minorText) > LARGEST_AMOUNT) {
    return { ok: false, message: 'This amount is larger than Till accepts.' };
  }
  const minor = Number(minorText);
  if (minor === 0) return { ok: false, message: 'Enter an amount above zero.' };
  return { ok: true, minor };
}
