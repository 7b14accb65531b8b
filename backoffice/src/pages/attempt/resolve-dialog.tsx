import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';

import { unwrap, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { keys, useCredit } from '../../api/queries.ts';
import type { Attempt, ResolveAttemptRequest } from '../../api/types.ts';
import { formatMoney } from '../../format/money.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { TextArea, TextInput } from '../../ui/fields.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Money, statusText } from '../../ui/values.tsx';

export type Outcome = ResolveAttemptRequest['outcome'];

const LONGEST_REASON = 500;
/** As the API takes it: visible ASCII. */
const SHIPMENT_ID = /^[\x21-\x7e]{1,255}$/;

interface ResolveDialogProps {
  readonly outcome: Outcome;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly attempt: Attempt;
}

/** Settles an attempt of unknown outcome by what somebody found out: shipped, with the carrier's id, or not. */
export function ResolveDialog({ outcome, open, onClose, attempt }: ResolveDialogProps) {
  const api = useApi();
  const client = useQueryClient();
  const { announce } = useToast();
  const { id, customer_id: customerId, currency } = attempt;
  const [shipmentId, setShipmentId] = useState('');
  const [reason, setReason] = useState('');
  const [showErrors, setShowErrors] = useState(false);
  const shipped = outcome === 'shipped';

  const action = useMoneyAction<ResolveAttemptRequest, Attempt>({
    // One scope for both outcomes: whichever was tried and got no answer, the other would come on top of it.
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
  useEffect(() => {
    // Somebody else, or the recovery, was quicker, or it is still under way: show it as it now is.
    if (problem?.isFinal === true) {
      void client.invalidateQueries({ queryKey: keys.attempts });
      void client.invalidateQueries({ queryKey: keys.customer(customerId) });
    }
  }, [problem, client, customerId]);

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
  const shipmentError = !shipped || SHIPMENT_ID.test(trimmed.shipmentId) ? undefined : shipmentMessage(trimmed.shipmentId);
  const reasonError =
    trimmed.reason === ''
      ? 'Enter a reason: what was found out, and how.'
      : trimmed.reason.length > LONGEST_REASON
        ? `The reason is longer than ${LONGEST_REASON} characters.`
        : undefined;
  const payload: ResolveAttemptRequest | undefined =
    shipmentError !== undefined || reasonError !== undefined
      ? undefined
      : { outcome, reason: trimmed.reason, ...(shipped ? { shipment_id: trimmed.shipmentId } : {}) };

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
      onIncomplete={() => setShowErrors(true)}
      onDone={(settled) => {
        forget();
        onClose();
        announce(
          settled.state === 'COMPLETED'
            ? `The purchase is completed; ${formatMoney(settled.total, currency)} are charged.`
            : `The attempt is voided; ${formatMoney(settled.total, currency)} went back to the customer.`,
        );
      }}
      confirmLabel={shipped ? 'Confirm shipment' : 'Void'}
      danger={!shipped}
      preview={open ? <ResolvePreview attempt={attempt} shipped={shipped} /> : null}
    >
      {shipped && (
        <TextInput
          label="Shipment id"
          value={shipmentId}
          onChange={setShipmentId}
          error={(showErrors ? shipmentError : undefined) ?? problem?.errorOf('shipment_id')}
          hint="The carrier’s id of the parcel. The customer sees it with the purchase."
          required
        />
      )}
      <TextArea
        label="Reason"
        value={reason}
        onChange={setReason}
        error={(showErrors ? reasonError : undefined) ?? problem?.errorOf('reason')}
        hint="Kept with the attempt, with your name."
        maxLength={LONGEST_REASON}
        required
      />
    </ConfirmDialog>
  );
}

function shipmentMessage(typed: string): string {
  return typed === '' ? 'Enter the shipment id that the carrier told you.' : 'A shipment id has no spaces and no special characters.';
}

/** What it will do, with the balance as it is at this moment. */
function ResolvePreview({ attempt, shipped }: { readonly attempt: Attempt; readonly shipped: boolean }) {
  const client = useQueryClient();
  const { customer_id: customerId, total, currency, state } = attempt;
  const credit = useCredit(customerId);
  useEffect(() => {
    // Not the balance of some seconds ago: the rep decides by this.
    void client.invalidateQueries({ queryKey: keys.credit(customerId) });
  }, [client, customerId]);
  if (state !== 'UNKNOWN') {
    return <>Nothing can be resolved here any more: the attempt is {statusText(state).toLowerCase()}.</>;
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
        {amount} held are charged; the purchase is completed
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
      {amount} held go back to the customer
      {balance !== undefined && (
        <>
          ; available <Money minor={balance.available} currency={currency} /> to <Money minor={balance.available + total} currency={currency} />
        </>
      )}
      .
    </>
  );
}
