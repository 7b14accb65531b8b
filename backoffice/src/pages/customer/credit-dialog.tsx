import { useEffect, useRef, useState } from 'react';

import { type Api, type Done, unwrapDone, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { keys } from '../../api/queries.ts';
import type { Credit, CreditChange, DeductCreditRequest, GrantCreditRequest } from '../../api/types.ts';
import { formatMoney, parseAmount } from '../../format/money.ts';
import { formatInstant } from '../../format/time.ts';
import { LONGEST_REASON } from '../../limits.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { AmountInput, TextArea } from '../../ui/fields.tsx';
import { useToast } from '../../ui/toast.tsx';
import { CreditPreview } from './credit-preview.tsx';

/** Which way the credit goes. */
export type CreditMove = 'grant' | 'deduct';

type Payload = GrantCreditRequest & DeductCreditRequest;

const WORDS = {
  grant: { title: 'Grant credit', verb: 'Grant', done: 'Granted', already: 'granted', toOrFrom: 'to', reason: 'Why is the customer given this credit?' },
  deduct: { title: 'Deduct credit', verb: 'Deduct', done: 'Deducted', already: 'deducted', toOrFrom: 'from', reason: 'Why is this credit taken away?' },
} as const;

function send(api: Api, move: CreditMove, customerId: string, body: Payload, idempotencyKey: string): Promise<Done<CreditChange>> {
  const request = { params: { path: { customer_id: customerId }, header: { 'Idempotency-Key': idempotencyKey } }, body };
  return unwrapDone(
    move === 'grant'
      ? api.POST('/customers/{customer_id}/credit/grants', request)
      : api.POST('/customers/{customer_id}/credit/deductions', request),
  );
}

interface CreditDialogProps {
  readonly move: CreditMove;
  readonly open: boolean;
  readonly onClose: () => void;
  /** As it was read last; the preview tells what would become of it. */
  readonly balance: Credit;
  /** Undefined where the upstream does not tell. */
  readonly customerName: string | undefined;
}

/** Grants or deducts credit: an amount, a reason, what it will do, and a confirmation. */
export function CreditDialog({ move, open, onClose, balance, customerName }: CreditDialogProps) {
  const api = useApi();
  const { announce } = useToast();
  const [amountText, setAmountText] = useState('');
  const [reasonText, setReasonText] = useState('');
  // How often an incomplete form was confirmed.
  const [incomplete, setIncomplete] = useState(0);
  const fields = useRef<HTMLDivElement>(null);
  const { customer_id: customerId, currency } = balance;
  const words = WORDS[move];

  const action = useMoneyAction<Payload, Done<CreditChange>>({
    scope: `${move}:${customerId}`,
    send: (body, idempotencyKey) => send(api, move, customerId, body, idempotencyKey),
    // The first credit of a customer makes them known, so the lists of customers are out of date too.
    affects: () => [keys.customerList, keys.credit(customerId), keys.ledger(customerId)],
  });

  useEffect(() => {
    if (incomplete > 0) fields.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [incomplete]);

  const amount = parseAmount(amountText, currency);
  const reason = reasonText.trim();
  const payload = amount.ok && reason !== '' ? { amount: amount.minor, reason } : undefined;

  const forget = () => {
    setAmountText('');
    setReasonText('');
    setIncomplete(0);
  };
  const close = () => {
    // What may have happened stays filled in: sending the same again is the way to find out.
    if (!action.isUncertain) forget();
    onClose();
  };

  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      title={words.title}
      description={`${words.verb} credit ${words.toOrFrom} ${customerName ?? `customer ${customerId}`}.`}
      action={action}
      payload={payload}
      onIncomplete={() => setIncomplete(incomplete + 1)}
      onDone={({ result: { entry, balance: after }, replayed }) => {
        const moved = formatMoney(Math.abs(entry.amount), entry.currency);
        announce(
          replayed
            ? `${moved} had already been ${words.already}, at ${formatInstant(entry.created_at)}. Nothing was ${words.already} now.`
            : `${words.done} ${moved}. The new balance is ${formatMoney(after.posted, after.currency)}.`,
        );
        forget();
        onClose();
      }}
      describe={(earlier) => `${words.verb} ${formatMoney(earlier.amount, currency)}, “${earlier.reason}”`}
      confirmLabel={amount.ok ? `${words.verb} ${formatMoney(amount.minor, currency)}` : words.title}
      danger={move === 'deduct'}
      repeatable
      preview={<CreditPreview move={move} amount={amount.ok ? amount.minor : undefined} balance={balance} limit={balance.adjustment_limit} />}
    >
      <div ref={fields} className="till-form">
        <AmountInput
          label="Amount"
          currency={currency}
          value={amountText}
          onChange={setAmountText}
          required
          error={incomplete > 0 && !amount.ok ? amount.message : undefined}
        />
        <TextArea
          label="Reason"
          value={reasonText}
          onChange={setReasonText}
          required
          maxLength={LONGEST_REASON}
          error={incomplete > 0 && reason === '' ? 'Enter a reason.' : undefined}
          hint={`${words.reason} The ledger keeps it for good. ${reasonText.length} of ${LONGEST_REASON} characters.`}
        />
      </div>
    </ConfirmDialog>
  );
}
