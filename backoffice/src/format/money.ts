/** Money as the API has it: a whole number of minor units (cents) with its currency. */

/** The largest amount that the API takes, in minor units. */
const LARGEST = 100_000_000_000;

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

/** A typed amount, or what is wrong with it. */
export type ParsedAmount = { readonly ok: true; readonly minor: number } | { readonly ok: false; readonly message: string };

/**
 * Reads a typed amount exactly: `12.50`, `12,5` or `12` USD are 1250, 1250 and 1200.
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
  const match = /^(\d+)(?:[.,](\d+))?$/.exec(typed);
  if (match === null) {
    return { ok: false, message: `Enter the amount as digits only, without a currency or thousands separators: ${example}` };
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
  if (minorText.length > LARGEST.toString().length || Number(minorText) > LARGEST) {
    return { ok: false, message: 'This amount is larger than Till can move at once.' };
  }
  const minor = Number(minorText);
  if (minor === 0) return { ok: false, message: 'Enter an amount above zero.' };
  return { ok: true, minor };
}
