import { useCallback, useState } from 'react';

import { unwrap, useApi } from '../../api/client.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { Problem } from '../../api/problem.ts';
import { keys } from '../../api/queries.ts';
import type { CreatePromoCodeRequest, PromoCode, PromoTerms } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { useViewer } from '../../auth/session.ts';
import { discountText } from '../../format/discount.ts';
import { LONGEST_PROMO_CODE } from '../../limits.ts';
import { TextLink } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { TextInput } from '../../ui/fields.tsx';
import { useToast } from '../../ui/toast.tsx';
import { changedTerms, EMPTY_TERMS, newTerms, readTerms, type TermsDraft } from './terms.ts';
import { TermsFields } from './terms-fields.tsx';

const CODE = /^[A-Za-z0-9_-]{3,32}$/;

type NewPromoCode = PromoTerms & { readonly code: string };

interface CreateDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly currency: string;
  readonly onCreated: (promo: PromoCode) => void;
}

/** Makes a promo code. */
export function CreateDialog({ open, onClose, currency, onCreated }: CreateDialogProps) {
  const api = useApi();
  const { subject } = useViewer();
  const [code, setCode] = useState('');
  const [draft, setDraft] = useState<TermsDraft>(EMPTY_TERMS);
  const [showErrors, setShowErrors] = useState(false);
  const { announce } = useToast();

  const action = useMoneyAction<NewPromoCode, PromoCode>({
    scope: 'create-promo-code',
    send: useCallback(
      async (wanted, _key, wasUnsettled) => {
        const body: CreatePromoCodeRequest = { code: wanted.code, ...newTerms(wanted) };
        try {
          return await unwrap(api.POST('/promo-codes', { body }));
        } catch (error) {
          const problem = Problem.of(error);
          // This operation has no Idempotency-Key: that the code is taken may be our own doing.
          if (problem.slug !== 'promo-code-exists' || !wasUnsettled) throw problem;
          const made = await unwrap(api.GET('/promo-codes/{code}', { params: { path: { code: wanted.code } } }));
          const first = made.changes[0];
          if (first === undefined || first.actor !== subject || changedTerms(first.terms, wanted).length > 0) throw problem;
          return made;
        }
      },
      [api, subject],
    ),
    affects: useCallback(() => [keys.promoCodes], []),
  });

  const forget = () => {
    setCode('');
    setDraft(EMPTY_TERMS);
    setShowErrors(false);
  };
  const close = () => {
    // What may have happened stays filled in: sending the same again is the way to find out.
    if (!action.isUncertain) forget();
    onClose();
  };
  const wanted = code.trim().toUpperCase();
  const codeError = CODE.test(wanted) ? undefined : 'Enter 3 to 32 letters, digits, “-” and “_”.';
  const read = readTerms(draft, currency);
  const taken = action.problem?.slug === 'promo-code-exists';
  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      title="New promo code"
      description="It can be used immediately, unless it is valid from a later time on."
      action={action}
      payload={read.ok && codeError === undefined ? { code: wanted, ...read.terms } : undefined}
      onIncomplete={() => setShowErrors(true)}
      onDone={(promo, hasLeft) => {
        forget();
        // A rep who has left is told, and stays where they are.
        if (hasLeft) announce(`${promo.code} is created.`);
        else onCreated(promo);
      }}
      describe={(earlier) => earlier.code}
      otherTry="What is entered now would be one more promo code. Look at the list of promo codes first."
      confirmLabel="Create promo code"
      preview={
        read.ok && codeError === undefined ? (
          <>
            <strong>{wanted}</strong> takes {discountText(read.terms.discount, currency)}.
          </>
        ) : (
          <span className="till-muted">What it will do is shown here before it is created.</span>
        )
      }
    >
      <TextInput
        label="Code"
        value={code}
        onChange={setCode}
        error={(showErrors ? codeError : undefined) ?? action.problem?.errorOf('code') ?? (taken ? 'This code is taken.' : undefined)}
        hint={
          taken ? (
            <>
              Look at <TextLink to={places.promoCode(wanted)}>{wanted}</TextLink>.
            </>
          ) : (
            'What customers type. Upper and lower case are the same. It cannot be changed later.'
          )
        }
        maxLength={LONGEST_PROMO_CODE}
        required
      />
      <TermsFields
        draft={draft}
        onChange={(changes) => setDraft((current) => ({ ...current, ...changes }))}
        currency={currency}
        errors={showErrors && !read.ok ? read.errors : {}}
        problem={action.problem}
      />
    </ConfirmDialog>
  );
}
