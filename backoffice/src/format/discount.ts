import type { PromoTerms } from '../api/types.ts';
import { formatMoney } from './money.ts';

/** The rule of a promo code: a percentage, perhaps with a cap, or a fixed amount. */
export type Discount = PromoTerms['discount'];

/** A rule in words: `15% off, at most $20.00`. */
export function discountText(discount: Discount, currency: string, locale?: string): string {
  if (discount.type === 'fixed') return `${formatMoney(discount.amount, currency, { locale })} off`;
  const percent = new Intl.NumberFormat(locale, { style: 'percent' }).format(discount.percent / 100);
  const cap = discount.max_amount ?? null;
  return cap === null ? `${percent} off` : `${percent} off, at most ${formatMoney(cap, currency, { locale })}`;
}
