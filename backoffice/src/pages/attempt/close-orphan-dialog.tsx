import { useCallback, useState } from 'react';

import { unwrap, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { keys } from '../../api/queries.ts';
import type { Attempt, CloseOrphanShipmentRequest, OrphanOutcome } from '../../api/types.ts';
import { formatMoney } from '../../format/money.ts';
import { LONGEST_REASON } from '../../limits.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { RadioChoice, TextArea } from '../../ui/fields.tsx';
import { useToast } from '../../ui/toast.tsx';
import { DECIDED_ONCE, reasonError, useReadAgainWhenRefused, useShowDecided } from './decision.ts';
import { ORPHAN_OUTCOMES } from './orphan-outcomes.ts';

const OUTCOMES: readonly OrphanOutcome[] = ['RECALLED', 'WRITTEN_OFF', 'NOT_REAL'];

interface CloseOrphanDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly attempt: Attempt;
}

/** Takes an orphan shipment off the work list, with what became of the parcel and a reason. */
export function CloseOrphanDialog({ open, onClose, attempt }: CloseOrphanDialogProps) {
  const api = useApi();
  const { announce } = useToast();
  const showDecided = useShowDecided();
  const { id, customer_id: customerId } = attempt;
  const [outcome, setOutcome] = useState<OrphanOutcome | ''>('');
  const [reason, setReason] = useState('');
  const [showErrors, setShowErrors] = useState(false);

  const action = useMoneyAction<CloseOrphanShipmentRequest, Attempt>({
    scope: `close-orphan:${id}`,
    send: useCallback(
      (body, idempotencyKey) =>
        unwrap(
          api.POST('/purchase-attempts/{attempt_id}/orphan-closing', {
            params: { path: { attempt_id: id }, header: { 'Idempotency-Key': idempotencyKey } },
            body,
          }),
        ),
      [api, id],
    ),
    affects: useCallback(() => [keys.attempts], []),
  });
  const { problem } = action;
  useReadAgainWhenRefused(problem, customerId);

  const forget = () => {
    setOutcome('');
    setReason('');
    setShowErrors(false);
  };
  const close = () => {
    // What may have happened stays filled in: sending the same again is the way to find out.
    if (!action.isUncertain) forget();
    onClose();
  };
  // Where the carrier has told a shipment id there was a parcel. What was chosen before that stays, to be sent again.
  const told = attempt.orphan !== null && attempt.orphan.shipment_id !== null;
  const outcomes = OUTCOMES.filter((one) => one !== 'NOT_REAL' || !told || one === outcome);
  const trimmed = reason.trim();
  const wrongReason = reasonError(trimmed);
  const payload: CloseOrphanShipmentRequest | undefined =
    outcome === '' || wrongReason !== undefined ? undefined : { outcome, reason: trimmed };

  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      title="Close orphan shipment"
      description={`${attempt.quantity} × ${attempt.product.name}, worth ${formatMoney(attempt.total, attempt.currency)}. Say what became of the parcel. This is final.`}
      action={action}
      payload={payload}
      onIncomplete={() => setShowErrors(true)}
      onDone={(closed) => {
        showDecided(closed);
        forget();
        onClose();
        const found = closed.orphan?.closing?.outcome;
        // The same request may have closed it before its parcel turned up.
        announce(found === undefined ? 'The orphan shipment is open again: its parcel has turned up.' : `The orphan shipment is closed: ${ORPHAN_OUTCOMES[found].done}.`);
      }}
      confirmLabel="Close orphan shipment"
      otherTry={DECIDED_ONCE}
      preview={attempt.orphan?.status === 'OPEN' ? previewOf(outcome) : 'The orphan shipment is closed already.'}
    >
      <RadioChoice
        label="What became of the parcel"
        value={outcome}
        options={outcomes.map((one) => ({ value: one, label: ORPHAN_OUTCOMES[one].choice }))}
        onChange={setOutcome}
        error={(showErrors && outcome === '' ? 'Choose what became of the parcel.' : undefined) ?? problem?.errorOf('outcome')}
        required
      />
      <TextArea
        label="Reason"
        value={reason}
        onChange={setReason}
        error={(showErrors ? wrongReason : undefined) ?? problem?.errorOf('reason')}
        hint="What was found out, and how. Kept with the attempt, with your name."
        maxLength={LONGEST_REASON}
        required
      />
    </ConfirmDialog>
  );
}

function previewOf(outcome: OrphanOutcome | ''): string {
  const effect = 'No money moves. The attempt leaves the list of orphan shipments and stays voided.';
  return outcome === 'WRITTEN_OFF' ? `${effect} If the customer agreed to pay for the parcel, deduct its price from their credit.` : effect;
}
