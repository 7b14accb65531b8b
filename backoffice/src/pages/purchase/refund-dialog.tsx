import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';

import { type Done, unwrapDone, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { Problem } from '../../api/problem.ts';
import { problemText } from '../../api/problem-text.ts';
import { keys } from '../../api/queries.ts';
import type { CreateRefundRequest, Purchase, Refund, RefundQuote } from '../../api/types.ts';
import { formatMoney, withLocalMoney } from '../../format/money.ts';
import { formatInstant } from '../../format/time.ts';
import { LONGEST_REASON } from '../../limits.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useDebounced } from '../../ui/debounced.ts';
import { AmountInput, RadioChoice, TextArea, TextInput } from '../../ui/fields.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Money } from '../../ui/values.tsx';
import { describeRefund, EMPTY_DRAFT, reasonError, type RefundDraft, requestOf, type Way, wishOf } from './refund-form.ts';
import { useRefundQuote } from './refund-quote.ts';

/** Long enough not to ask for each digit, short enough not to be waited for. */
const QUOTE_AFTER_MS = 250;

interface RefundDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly purchase: Purchase;
}

/** Gives back all of a purchase, so many units, or an amount; shows what that will do, and asks. */
export function RefundDialog({ open, onClose, purchase }: RefundDialogProps) {
  const api = useApi();
  const client = useQueryClient();
  const { announce } = useToast();
  const { id, currency, customer_id: customerId } = purchase;
  const [draft, setDraft] = useState<RefundDraft>(EMPTY_DRAFT);
  const [showErrors, setShowErrors] = useState(false);
  const opening = useOpening(open);
  const change = (changes: Partial<RefundDraft>) => setDraft((current) => ({ ...current, ...changes }));

  const { way, quantity, amount } = draft;
  const wish = useMemo(() => wishOf({ way, quantity, amount, reason: '' }, currency), [way, quantity, amount, currency]);
  const settled = useDebounced(wish, QUOTE_AFTER_MS);
  const quote = useRefundQuote(id, opening, open && settled.ok ? settled.wish : undefined);
  const isSettled = settled === wish;

  const action = useMoneyAction<CreateRefundRequest, Done<Refund>>({
    scope: `refund:${id}`,
    send: useCallback(
      (body, idempotencyKey) =>
        unwrapDone(
          api.POST('/purchases/{purchase_id}/refunds', {
            params: { path: { purchase_id: id }, header: { 'Idempotency-Key': idempotencyKey } },
            body,
          }),
        ),
      [api, id],
    ),
    affects: useCallback(() => [keys.purchases, keys.customer(customerId)], [customerId]),
  });
  const { problem } = action;
  useEffect(() => {
    // The server has decided by books that are newer than what is shown here: show those.
    if (problem?.isFinal === true) void client.invalidateQueries({ queryKey: keys.purchase(id) });
  }, [problem, client, id]);

  const forget = () => {
    setDraft(EMPTY_DRAFT);
    setShowErrors(false);
  };
  const close = () => {
    // What may have happened stays filled in: sending the same again is the way to find out.
    if (!action.isUncertain) forget();
    onClose();
  };
  const ready = isSettled && quote.data?.would_succeed === true;
  const quoted = ready ? quote.data?.amount : null;
  const payload = requestOf(draft, currency, quoted);
  const amountError = wish.ok ? problem?.errorOf(way) : showErrors ? wish.message : undefined;
  const left = purchase.refundable_quantity;
  const ways: readonly { value: Way; label: string }[] = [
    { value: 'all', label: `The full remaining amount, ${formatMoney(purchase.refundable, currency)}` },
    ...(left > 0 ? [{ value: 'quantity' as const, label: 'By quantity' }] : []),
    { value: 'amount', label: 'An amount' },
  ];
  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      title="Refund this purchase"
      description={`${purchase.quantity} × ${purchase.product.name}, ${formatMoney(purchase.total, currency)}. What is given back becomes the customer’s credit.`}
      action={action}
      payload={payload}
      ready={ready}
      waiting={wish.ok && (!isSettled || quote.isFetching)}
      onIncomplete={() => setShowErrors(true)}
      onDone={({ result: refund, replayed }) => {
        forget();
        onClose();
        const refunded = formatMoney(refund.amount, refund.currency);
        announce(
          replayed
            ? `${refunded} had already been refunded, at ${formatInstant(refund.created_at)}. Nothing was refunded now.`
            : `${refunded} refunded. The customer’s balance is ${formatMoney(refund.balance_after, refund.currency)}.`,
        );
      }}
      describe={(earlier) => describeRefund(earlier, currency)}
      repeatable
      confirmLabel={typeof quoted === 'number' ? `Refund ${formatMoney(quoted, currency)}` : 'Refund'}
      preview={
        !wish.ok ? (
          <span className="till-muted">What it will do is shown here before anything is sent.</span>
        ) : !isSettled || quote.isPending ? (
          <span className="till-muted">Working out what this will do…</span>
        ) : quote.data === undefined ? (
          <QuoteFailed error={quote.error} onRetry={() => void quote.refetch()} retrying={quote.isFetching} />
        ) : (
          <QuoteText quote={quote.data} />
        )
      }
    >
      <RadioChoice label="How much" value={way} options={ways} onChange={(next) => change({ way: next })} />
      {way === 'quantity' && (
        <TextInput
          label="Units to refund"
          value={quantity}
          onChange={(next) => change({ quantity: next })}
          inputMode="numeric"
          error={amountError}
          hint={`${left} of ${purchase.quantity} can still be refunded as units.`}
          required
        />
      )}
      {way === 'amount' && (
        <AmountInput
          label="Amount to refund"
          currency={currency}
          value={amount}
          onChange={(next) => change({ amount: next })}
          error={amountError}
          hint={`${formatMoney(purchase.refundable, currency)} can still be refunded.`}
          required
        />
      )}
      <TextArea
        label="Reason"
        value={draft.reason}
        onChange={(next) => change({ reason: next })}
        error={(showErrors ? reasonError(draft) : undefined) ?? problem?.errorOf('reason')}
        hint="Kept with the refund and in the ledger."
        maxLength={LONGEST_REASON}
        required
      />
    </ConfirmDialog>
  );
}

/** Counts how often it was opened. */
function useOpening(open: boolean): number {
  const [seen, setSeen] = useState({ open, count: 0 });
  if (seen.open !== open) setSeen({ open, count: seen.count + (open ? 1 : 0) });
  return seen.count;
}

/** What it will do, or what it would be refused with. */
function QuoteText({ quote }: { readonly quote: RefundQuote }) {
  const { currency, amount, quantity, refundable_after: refundable, balance_before: before, balance_after: after } = quote;
  // What follows from the amount is null exactly where the refund would be refused.
  if (quote.problem !== null || amount === null || refundable === null || after === null) {
    return (
      <span className="till-preview-problem">
        <strong>{quote.problem?.title ?? 'This refund would be refused.'}</strong>
        <span>{quote.problem === null ? null : withLocalMoney(quote.problem.detail)}</span>
      </span>
    );
  }
  return (
    <>
      <strong>
        <Money minor={amount} currency={currency} /> back to the customer
      </strong>
      {quantity !== null && ` for ${quantity} ${quantity === 1 ? 'unit' : 'units'}`}; <Money minor={refundable} currency={currency} /> of this
      purchase remains refundable; balance <Money minor={before} currency={currency} /> to <Money minor={after} currency={currency} />.
    </>
  );
}

interface QuoteFailedProps {
  readonly error: unknown;
  readonly onRetry: () => void;
  readonly retrying: boolean;
}

function QuoteFailed({ error, onRetry, retrying }: QuoteFailedProps) {
  const problem = Problem.of(error);
  return (
    <span className="till-preview-problem">
      <strong>What this will do could not be worked out, so nothing can be refunded yet.</strong>
      <span>
        {problem.title}. {problemText(problem)}
      </span>
      <span>
        <Button label="Try again" kind="secondary" busy={retrying} onClick={onRetry} />
      </span>
    </span>
  );
}
