import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';

import { unwrap, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import type { Problem } from '../../api/problem.ts';
import { keys, useCredit } from '../../api/queries.ts';
import type { Attempt, ResolveAttemptRequest } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { formatMoney } from '../../format/money.ts';
import { shipmentIdError } from '../../format/shipment-id.ts';
import { LONGEST_REASON } from '../../limits.ts';
import { TextLink } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { TextArea, TextInput } from '../../ui/fields.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Money, statusText } from '../../ui/values.tsx';
import { DECIDED_ONCE, reasonError, useReadAgainWhenRefused, useShowDecided } from './decision.ts';

export type Outcome = ResolveAttemptRequest['outcome'];

interface ResolveDialogProps {
  readonly outcome: Outcome;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly attempt: Attempt;
}

/** Settles an attempt of unknown outcome by what the rep found out: shipped, with the carrier's id, or not. */
export function ResolveDialog({ outcome, open, onClose, attempt }: ResolveDialogProps) {
  const api = useApi();
  const { announce } = useToast();
  const showDecided = useShowDecided();
  const { id, customer_id: customerId, currency } = attempt;
  const [shipmentId, setShipmentId] = useState('');
  const [reason, setReason] = useState('');
  const [showErrors, setShowErrors] = useState(false);
  const shipped = outcome === 'shipped';

  const action = useMoneyAction<ResolveAttemptRequest, Attempt>({
    // One scope for both outcomes: after a try of one that got no answer, the other may be refused.
    scope: `resolve:${id}`,
    send: useCallback(
      (body, idempotencyKey) =>
        unwrap(
          api.POST('/purchase-attempts/{attempt_id}/resolution', {
            params: { path: { attempt_id: id }, header: { 'Idempotency-Key': idempotencyKey } },
            body,
          }),
        ),
      [api, id],
    ),
    affects: useCallback(() => [keys.attempts, keys.purchases, keys.customer(customerId)], [customerId]),
  });
  const { problem } = action;
  useReadAgainWhenRefused(problem, customerId);

  const forget = () => {
    setShipmentId('');
    setReason('');
    setShowErrors(false);
  };
  const close = () => {
    // What may have happened stays filled in: sending the same again is the way to find out.
    if (!action.isUncertain) forget();
    onClose();
  };
  const trimmed = { shipmentId: shipmentId.trim(), reason: reason.trim() };
  const wrongShipment = !shipped ? undefined : trimmed.shipmentId === '' ? NO_SHIPMENT_ID : shipmentIdError(trimmed.shipmentId);
  const wrongReason = reasonError(trimmed.reason);
  const payload: ResolveAttemptRequest | undefined =
    wrongShipment !== undefined || wrongReason !== undefined
      ? undefined
      : { outcome, reason: trimmed.reason, ...(shipped ? { shipment_id: trimmed.shipmentId } : {}) };

  const taken = problem?.slug === 'shipment-id-taken' && action.isRetry(payload) ? 'This id belongs to another purchase.' : undefined;

  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      title={shipped ? 'Confirm the shipment' : 'Void the attempt'}
      description={`${attempt.quantity} × ${attempt.product.name}, ${formatMoney(attempt.total, currency)}. ${
        shipped ? 'Only if the carrier has a shipment for it.' : 'Only if the carrier has no shipment for it.'
      } This is final.`}
      action={action}
      payload={payload}
      describe={(earlier) => `${earlier.outcome === 'shipped' ? `confirm shipment ${earlier.shipment_id ?? ''}` : 'void'}, “${earlier.reason}”`}
      onIncomplete={() => setShowErrors(true)}
      onDone={(settled) => {
        showDecided(settled);
        forget();
        onClose();
        announce(
          settled.state === 'COMPLETED'
            ? `The purchase is completed. ${formatMoney(settled.total, currency)} was charged.`
            : `The attempt is voided. The ${formatMoney(settled.total, currency)} hold was released.`,
        );
      }}
      confirmLabel={shipped ? 'Confirm shipment' : 'Void'}
      danger={!shipped}
      otherTry={DECIDED_ONCE}
      advice={problem === null ? null : <Advice problem={problem} />}
      preview={open ? <ResolvePreview attempt={attempt} shipped={shipped} /> : null}
    >
      {shipped && (
        <TextInput
          label="Shipment id"
          value={shipmentId}
          onChange={setShipmentId}
          error={(showErrors ? wrongShipment : undefined) ?? taken ?? problem?.errorOf('shipment_id')}
          hint="The carrier’s id of the parcel. The customer sees it with the purchase."
          required
        />
      )}
      <TextArea
        label="Reason"
        value={reason}
        onChange={setReason}
        error={(showErrors ? wrongReason : undefined) ?? problem?.errorOf('reason')}
        hint="Kept with the attempt, with your name."
        maxLength={LONGEST_REASON}
        required
      />
    </ConfirmDialog>
  );
}

const NO_SHIPMENT_ID = 'Enter the shipment id that the carrier told you.';

/** What to do about a refusal. */
function Advice({ problem }: { readonly problem: Problem }) {
  switch (problem.slug) {
    case 'shipment-id-taken': {
      const purchaseId = problem.textOf('purchase_id');
      return purchaseId === undefined ? null : <TextLink to={places.purchase(purchaseId)}>Open the purchase that has this shipment id</TextLink>;
    }
    case 'carrier-answered-otherwise':
      return <span>You do not have to resolve this attempt. Look at it again in a few minutes.</span>;
    case 'amount-above-limit':
      return <span>Ask an administrator to resolve this attempt, and send them the address of this page.</span>;
    default:
      return null;
  }
}

/** What it will do, with the balance as it is at this moment. */
function ResolvePreview({ attempt, shipped }: { readonly attempt: Attempt; readonly shipped: boolean }) {
  const client = useQueryClient();
  const { customer_id: customerId, total, currency, state } = attempt;
  const credit = useCredit(customerId);
  useEffect(() => {
    // The rep decides by this, so it must not be the balance of some seconds ago.
    void client.invalidateQueries({ queryKey: keys.credit(customerId) });
  }, [client, customerId]);
  if (state !== 'UNKNOWN') {
    return <>This attempt can no longer be resolved here: it is {statusText(state).toLowerCase()}.</>;
  }
  const amount = (
    <strong>
      <Money minor={total} currency={currency} />
    </strong>
  );
  const balance = credit.data;
  if (shipped) {
    return (
      <>
        The {amount} hold will be charged and the purchase completed
        {balance !== undefined && (
          <>
            ; balance <Money minor={balance.posted} currency={currency} /> to <Money minor={balance.posted - total} currency={currency} />
          </>
        )}
        .
      </>
    );
  }
  return (
    <>
      The {amount} hold will be released
      {balance !== undefined && (
        <>
          ; available <Money minor={balance.available} currency={currency} /> to <Money minor={balance.available + total} currency={currency} />
        </>
      )}
      .
    </>
  );
}
