import type { CreateRefundQuoteRequest, CreateRefundRequest } from '../../api/types.ts';
import { formatMoney, parseAmount } from '../../format/money.ts';
import { LONGEST_REASON } from '../../limits.ts';

/** The three ways to say how much. */
export type Way = 'all' | 'quantity' | 'amount';

/** What is in the fields. */
export interface RefundDraft {
  readonly way: Way;
  readonly quantity: string;
  readonly amount: string;
  readonly reason: string;
}

export const EMPTY_DRAFT: RefundDraft = { way: 'all', quantity: '1', amount: '', reason: '' };

/** How much, or why the fields do not say it. */
type Wish = { readonly ok: true; readonly wish: CreateRefundQuoteRequest } | { readonly ok: false; readonly message: string };

/** What is to be given back. What it comes to, and whether it can be, is for the server to say. */
export function wishOf(draft: RefundDraft, currency: string): Wish {
  if (draft.way === 'all') return { ok: true, wish: {} };
  if (draft.way === 'amount') {
    const parsed = parseAmount(draft.amount, currency);
    return parsed.ok ? { ok: true, wish: { amount: parsed.minor } } : parsed;
  }
  const typed = draft.quantity.trim();
  if (!/^\d{1,7}$/.test(typed) || Number(typed) === 0) return { ok: false, message: 'Enter how many units, as a whole number above zero.' };
  return { ok: true, wish: { quantity: Number(typed) } };
}

/** The reason, or what is wrong with it. */
export function reasonError(draft: RefundDraft): string | undefined {
  const reason = draft.reason.trim();
  if (reason === '') return 'Enter a reason. The customer’s ledger keeps it.';
  return reason.length > LONGEST_REASON ? `The reason is longer than ${LONGEST_REASON} characters.` : undefined;
}

/**
 * The request to send, once the fields say it. It refunds the amount on the button or nothing, whatever other reps
 * have refunded meanwhile.
 */
export function requestOf(draft: RefundDraft, currency: string, quoted: number | null | undefined): CreateRefundRequest | undefined {
  const wish = wishOf(draft, currency);
  if (!wish.ok || reasonError(draft) !== undefined) return undefined;
  const expected = typeof quoted === 'number' ? { expected_amount: quoted } : {};
  return { ...wish.wish, ...expected, reason: draft.reason.trim() };
}

/** A refund in a few words: what it comes to, and why. */
export function describeRefund({ amount, expected_amount: expected, reason }: CreateRefundRequest, currency: string): string {
  const minor = amount ?? expected;
  return `${minor === undefined ? 'a refund' : `${formatMoney(minor, currency)} back to the customer`}, “${reason}”`;
}
