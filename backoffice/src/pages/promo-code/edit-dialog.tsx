import { useCallback, useEffect, useRef, useState } from 'react';

import { ifMatch, unwrap, useApi } from '../../api/client.ts';
import { fingerprint } from '../../api/intents.ts';
import { useMoneyAction } from '../../api/money-action.ts';
import { Problem } from '../../api/problem.ts';
import { problemText } from '../../api/problem-text.ts';
import { keys, usePromoCode } from '../../api/queries.ts';
import type { PromoCode, PromoCodeDetail, PromoTerms } from '../../api/types.ts';
import { useViewer } from '../../auth/session.ts';
import { discountText } from '../../format/discount.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useToast } from '../../ui/toast.tsx';
import { changedTerms, changeOf, draftOf, readTerms, type TermsDraft, termsOf } from '../promo-codes/terms.ts';
import { TermsFields } from '../promo-codes/terms-fields.tsx';

interface Change {
  /** The version that is changed; the server refuses if it is not the newest. */
  readonly version: number;
  readonly before: PromoTerms;
  readonly after: PromoTerms;
}

interface EditDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly promo: PromoCodeDetail;
}

/** Changes the terms of a code: of the version that the form was filled from, and only what was changed in it. */
export function EditDialog({ open, onClose, promo }: EditDialogProps) {
  const api = useApi();
  const { subject } = useViewer();
  const { announce } = useToast();
  const { code, currency } = promo;
  const newest = usePromoCode(code);
  // A newer version that arrives in the background does not overwrite what is typed: the form stays with its own.
  const [base, setBase] = useState<PromoCode>(promo);
  const [draft, setDraft] = useState<TermsDraft>(() => draftOf(promo, currency));
  const [showErrors, setShowErrors] = useState(false);
  const [loaded, setLoaded] = useState<number | null>(null);
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that was pressed is gone, and the form is another: begin at its top.
    if (loaded !== null) notice.current?.focus();
  }, [loaded]);
  const [wasOpen, setWasOpen] = useState(open);
  const start = (from: PromoCode) => {
    setBase(from);
    setDraft(draftOf(from, currency));
    setShowErrors(false);
  };
  const isUntouched = fingerprint(draft) === fingerprint(draftOf(base, currency));
  if (wasOpen !== open) {
    setWasOpen(open);
    setLoaded(null);
    // Each opening begins with the terms as they are, but for what may have been saved: that stays filled in.
    if (open && promo.version > base.version && isUntouched) start(promo);
  }

  const action = useMoneyAction<Change, PromoCode>({
    scope: `edit-promo-code:${code}`,
    send: useCallback(
      async (change, _key, wasUnsettled) => {
        try {
          return await unwrap(
            api.PATCH('/promo-codes/{code}', {
              params: { path: { code }, header: { 'If-Match': ifMatch(change.version) } },
              body: changeOf(change.before, change.after),
            }),
          );
        } catch (error) {
          const problem = Problem.of(error);
          // This operation has no Idempotency-Key: the newer version may be the one that we made.
          if (problem.slug !== 'stale-version' || !wasUnsettled) throw problem;
          const now = await unwrap(api.GET('/promo-codes/{code}', { params: { path: { code } } }));
          const ours = now.changes.find((one) => one.version === change.version + 1);
          if (ours === undefined || ours.actor !== subject || changedTerms(ours.terms, change.after).length > 0) throw problem;
          return now;
        }
      },
      [api, code, subject],
    ),
    affects: useCallback(() => [keys.promoCodes], []),
  });

  const read = readTerms(draft, currency, termsOf(base));
  const changed = read.ok ? changedTerms(termsOf(base), read.terms) : [];
  const payload = read.ok && changed.length > 0 ? { version: base.version, before: termsOf(base), after: read.terms } : undefined;
  const close = () => {
    if (!action.isUncertain) start(base);
    onClose();
  };
  const stale = action.problem?.slug === 'stale-version';
  const reload = () => {
    void newest.refetch().then(({ data, error }) => {
      if (error !== null || data === undefined) {
        announce(`The newest version could not be loaded. ${problemText(Problem.of(error))}`, { tone: 'danger' });
        return;
      }
      start(data);
      setLoaded(data.version);
      action.reset();
    });
  };
  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      title={`Edit the terms of ${code}`}
      description={`Version ${base.version}. Purchases made under the terms of before keep them.`}
      action={action}
      payload={payload}
      onIncomplete={() => setShowErrors(true)}
      onDone={(now) => {
        start(now);
        onClose();
        announce(`The terms of ${code} are changed.`);
      }}
      describe={(earlier) => `a change of version ${earlier.version}`}
      otherTry="If it was done, what is entered now changes the terms once more. Look at the history of the code first."
      confirmLabel="Save terms"
      preview={
        !read.ok ? (
          <span className="till-muted">What will change is shown here.</span>
        ) : changed.length === 0 ? (
          <span className="till-muted">Nothing is changed yet.</span>
        ) : (
          <>
            <strong>{code}</strong> will take {discountText(read.terms.discount, currency)}; {changed.length}{' '}
            {changed.length === 1 ? 'term changes' : 'terms change'}.
          </>
        )
      }
    >
      {loaded !== null && (
        <div ref={notice} tabIndex={-1} className="till-notice till-notice-warning" role="status">
          <span>
            Version {loaded} is loaded, by {base.updated_by_name ?? base.updated_by}. Make your change again.
          </span>
        </div>
      )}
      <TermsFields
        draft={draft}
        onChange={(changes) => setDraft((current) => ({ ...current, ...changes }))}
        currency={currency}
        errors={showErrors && !read.ok ? read.errors : {}}
        problem={action.problem}
      />
      {stale && (
        <div className="till-notice till-notice-warning">
          <span>Load the newest version to go on. It replaces what you have typed.</span>
          <Button label="Load the newest version" kind="secondary" busy={newest.isFetching} onClick={reload} />
        </div>
      )}
    </ConfirmDialog>
  );
}
