import { useCallback } from 'react';

import { unwrap, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { keys } from '../../api/queries.ts';
import type { PromoCode } from '../../api/types.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useToast } from '../../ui/toast.tsx';

interface DeactivateDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly promo: PromoCode;
}

/** Ends a code, for good. */
export function DeactivateDialog({ open, onClose, promo }: DeactivateDialogProps) {
  const api = useApi();
  const { announce } = useToast();
  const { code } = promo;
  const action = useMoneyAction<{ readonly code: string }, PromoCode>({
    scope: `deactivate-promo-code:${code}`,
    send: useCallback((ended) => unwrap(api.POST('/promo-codes/{code}/deactivation', { params: { path: ended } })), [api]),
    affects: useCallback(() => [keys.promoCodes], []),
  });
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Deactivate ${code}`}
      description="It can no longer be used. Purchases that have it, or are under way with it, keep it."
      action={action}
      payload={{ code }}
      onDone={() => {
        onClose();
        announce(`${code} is deactivated.`);
      }}
      confirmLabel="Deactivate"
      danger
      preview={
        <>
          <strong>{code} ends now, for good.</strong> It cannot be activated again, and its name stays taken.
        </>
      }
    />
  );
}
