import type { CreatePromoCodeRequest, PromoTerms, UpdatePromoCodeRequest } from '../../api/types.ts';
import { fingerprint } from '../../api/intents.ts';
import { isUuid } from '../../app/places.ts';
import { parseAmount, toDecimal } from '../../format/money.ts';
import { asFromMoment, asUntilMoment, fromMoment, momentError, untilMoment } from '../../format/moment.ts';
import { MOST_IDS, MOST_REDEMPTIONS } from '../../limits.ts';

/** The terms of a promo code as they stand in the fields of a form. An empty field is no restriction. */
export interface TermsDraft {
  readonly kind: 'percentage' | 'fixed';
  readonly percent: string;
  readonly maxAmount: string;
  readonly amount: string;
  readonly minimumSubtotal: string;
  readonly validFrom: string;
  readonly validUntil: string;
  readonly maxRedemptions: string;
  readonly maxPerCustomer: string;
  readonly firstPurchaseOnly: boolean;
  readonly productIds: string;
  readonly customerIds: string;
}

export type TermsErrors = Partial<Record<keyof TermsDraft, string>>;

/** The terms, or what is wrong with the fields. */
type ReadTerms = { readonly ok: true; readonly terms: PromoTerms } | { readonly ok: false; readonly errors: TermsErrors };

export const EMPTY_TERMS: TermsDraft = {
  kind: 'percentage',
  percent: '',
  maxAmount: '',
  amount: '',
  minimumSubtotal: '',
  validFrom: '',
  validUntil: '',
  maxRedemptions: '',
  maxPerCustomer: '',
  firstPurchaseOnly: false,
  productIds: '',
  customerIds: '',
};

/** The fields of a form that is to change these terms. */
export function draftOf(terms: PromoTerms, currency: string): TermsDraft {
  const money = (minor: number | null | undefined) => (minor === null || minor === undefined ? '' : toDecimal(minor, currency));
  const { discount } = terms;
  const chosen =
    discount.type === 'fixed'
      ? { kind: 'fixed' as const, amount: money(discount.amount) }
      : { kind: 'percentage' as const, percent: discount.percent.toString(), maxAmount: money(discount.max_amount) };
  return {
    ...EMPTY_TERMS,
    ...chosen,
    minimumSubtotal: money(terms.minimum_subtotal),
    validFrom: terms.valid_from === null ? '' : asFromMoment(terms.valid_from),
    validUntil: terms.valid_until === null ? '' : asUntilMoment(terms.valid_until),
    maxRedemptions: terms.max_redemptions?.toString() ?? '',
    maxPerCustomer: terms.max_redemptions_per_customer?.toString() ?? '',
    firstPurchaseOnly: terms.first_purchase_only,
    productIds: (terms.product_ids ?? []).join('\n'),
    customerIds: (terms.customer_ids ?? []).join('\n'),
  };
}

/**
 * Reads the fields. What was not touched since `before` keeps its exact value: a form shows minutes, and a time of
 * validity may have seconds.
 */
export function readTerms(draft: TermsDraft, currency: string, before?: PromoTerms): ReadTerms {
  const errors: { -readonly [K in keyof TermsErrors]: TermsErrors[K] } = {};
  const old = before === undefined ? undefined : draftOf(before, currency);
  const money = (field: 'maxAmount' | 'amount' | 'minimumSubtotal', required: boolean): number | null => {
    const typed = draft[field];
    if (typed.trim() === '' && !required) return null;
    const parsed = parseAmount(typed, currency);
    if (parsed.ok) return parsed.minor;
    errors[field] = parsed.message;
    return null;
  };
  const count = (field: 'maxRedemptions' | 'maxPerCustomer'): number | null => {
    const typed = draft[field].trim();
    if (typed === '') return null;
    const value = wholeNumber(typed, 1, MOST_REDEMPTIONS);
    if (value === undefined) errors[field] = 'Enter a whole number above zero, or leave it empty for no limit.';
    return value ?? null;
  };
  const ids = (field: 'productIds' | 'customerIds'): string[] | null => {
    const found = [...new Set(draft[field].toLowerCase().split(/[\s,;]+/).filter((one) => one !== ''))];
    const wrong = found.find((one) => !isUuid(one));
    if (wrong !== undefined) errors[field] = `“${wrong}” is not an id.`;
    else if (found.length > MOST_IDS) errors[field] = `At most ${MOST_IDS} ids, and these are ${found.length}.`;
    return found.length === 0 ? null : found;
  };
  const moment = (field: 'validFrom' | 'validUntil', exact: string | null | undefined, read: (typed: string) => string | undefined) => {
    if (draft[field] === '') return null;
    if (draft[field] === old?.[field] && exact !== undefined) return exact;
    const instant = read(draft[field]);
    if (instant === undefined) errors[field] = momentError(draft[field]) ?? 'Enter a day of the calendar.';
    return instant ?? null;
  };

  const discount = ((): PromoTerms['discount'] => {
    if (draft.kind === 'fixed') return { type: 'fixed', amount: money('amount', true) ?? 0 };
    const percent = wholeNumber(draft.percent.trim(), 1, 100);
    if (percent === undefined) errors.percent = 'Enter a whole number from 1 to 100.';
    return { type: 'percentage', percent: percent ?? 0, max_amount: money('maxAmount', false) };
  })();
  const terms: PromoTerms = {
    discount,
    valid_from: moment('validFrom', before?.valid_from, fromMoment),
    valid_until: moment('validUntil', before?.valid_until, untilMoment),
    max_redemptions: count('maxRedemptions'),
    max_redemptions_per_customer: count('maxPerCustomer'),
    minimum_subtotal: money('minimumSubtotal', false),
    product_ids: ids('productIds'),
    customer_ids: ids('customerIds'),
    first_purchase_only: draft.firstPurchaseOnly,
  };
  if (terms.valid_from !== null && terms.valid_until !== null && Date.parse(terms.valid_from) >= Date.parse(terms.valid_until)) {
    errors.validUntil ??= 'The end has to come after the beginning.';
  }
  return Object.keys(errors).length === 0 ? { ok: true, terms } : { ok: false, errors };
}

function wholeNumber(typed: string, least: number, most: number): number | undefined {
  if (!/^\d{1,10}$/.test(typed)) return undefined;
  const value = Number(typed);
  return value >= least && value <= most ? value : undefined;
}

/** Terms without what is the same as leaving it out, and lists in one order: to be compared. */
function comparable(terms: PromoTerms): Record<keyof PromoTerms, unknown> {
  const sorted = (ids: readonly string[] | null) => (ids === null ? null : [...ids].sort());
  const instant = (at: string | null) => (at === null ? null : Date.parse(at));
  const { discount } = terms;
  return {
    ...terms,
    discount: discount.type === 'fixed' ? discount : { ...discount, max_amount: discount.max_amount ?? null },
    valid_from: instant(terms.valid_from),
    valid_until: instant(terms.valid_until),
    product_ids: sorted(terms.product_ids),
    customer_ids: sorted(terms.customer_ids),
  };
}

const TERMS: readonly (keyof PromoTerms)[] = [
  'discount',
  'minimum_subtotal',
  'valid_from',
  'valid_until',
  'max_redemptions',
  'max_redemptions_per_customer',
  'first_purchase_only',
  'product_ids',
  'customer_ids',
];

/** The terms that differ. */
export function changedTerms(before: PromoTerms, after: PromoTerms): readonly (keyof PromoTerms)[] {
  const [one, other] = [comparable(before), comparable(after)];
  return TERMS.filter((term) => fingerprint(one[term]) !== fingerprint(other[term]));
}

type DiscountRequest = CreatePromoCodeRequest['discount'];

/** A discount as the API takes it: no maximum is the field left out, and null is refused. */
function discountToSend(discount: PromoTerms['discount']): DiscountRequest {
  if (discount.type === 'fixed') return discount;
  const { max_amount, ...rest } = discount;
  return max_amount === null ? rest : { ...rest, max_amount };
}

/** The terms of a new code as the API takes them: a restriction that it does not have is left out, and null is refused. */
export function newTerms(terms: PromoTerms): Omit<CreatePromoCodeRequest, 'code'> {
  const { discount, first_purchase_only, ...restrictions } = terms;
  const given = Object.fromEntries(Object.entries(restrictions).filter(([, value]) => value !== null));
  return { ...given, discount: discountToSend(discount), first_purchase_only };
}

/** The change to send: only what differs, so that nothing else is touched. null removes a restriction. */
export function changeOf(before: PromoTerms, after: PromoTerms): UpdatePromoCodeRequest {
  const { discount, ...others } = Object.fromEntries(changedTerms(before, after).map((term) => [term, after[term]]));
  return { ...others, ...(discount === undefined ? {} : { discount: discountToSend(after.discount) }) };
}

/** The terms of a code, without what it is besides. */
export function termsOf(promo: PromoTerms): PromoTerms {
  const { discount, valid_from, valid_until, max_redemptions, max_redemptions_per_customer, minimum_subtotal, product_ids, customer_ids } = promo;
  return {
    discount,
    valid_from,
    valid_until,
    max_redemptions,
    max_redemptions_per_customer,
    minimum_subtotal,
    product_ids,
    customer_ids,
    first_purchase_only: promo.first_purchase_only,
  };
}
