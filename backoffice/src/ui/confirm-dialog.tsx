import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import type { EarlierTry, MoneyAction } from '../api/money-action.ts';
import type { Problem } from '../api/problem.ts';
import { problemText } from '../api/problem-text.ts';
import { useSession } from '../auth/session.ts';
import { formatInstant } from '../format/time.ts';
import { Button } from './button.tsx';
import { Dialog, DialogActions } from './dialog.tsx';
import { CorrelationId, ProblemFields } from './states.tsx';
import { useToast } from './toast.tsx';

interface ConfirmDialogProps<P, R> {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly description?: string;
  readonly action: MoneyAction<P, R>;
  /** What would be sent now; undefined while the form is not filled in rightly. */
  readonly payload: P | undefined;
  /** False while it is not shown yet what it will do, or that it will be refused: then nothing is sent but a retry. */
  readonly ready?: boolean;
  /** What it will do is being worked out: a click waits for that, and is done then. */
  readonly waiting?: boolean;
  /** Confirm was pressed while nothing could be sent: show what is missing. */
  readonly onIncomplete?: () => void;
  /** After the server said that it is done. Close the dialog and announce it; stay where the rep is if they have left it. */
  readonly onDone: (result: R, hasLeft: boolean) => void;
  readonly confirmLabel: string;
  readonly danger?: boolean;
  /** What it will do, before confirming: "12.50 USD back to the customer; ...". */
  readonly preview?: ReactNode;
  /** What to do about the problem that it was refused with, where the problem alone does not say. */
  readonly advice?: ReactNode;
  /** It may be meant twice with the same values, so an earlier try can be forgotten. */
  readonly repeatable?: boolean;
  /** What an earlier try with other values means for this one. */
  readonly otherTry?: string;
  /** An earlier try in a few words, like "$25.00 back to the customer: Torn cover". */
  readonly describe?: (payload: P) => string;
  /** The fields. */
  readonly children?: ReactNode;
}

/**
 * Asks before money moves: fields, what it will do, and one button.
 *
 * Stays open until the server has answered, tells what went wrong from the problem document, and says when
 * sending again is safe. (ClickUI's ConfirmationDialog closes immediately, and reports a cancel with every confirm.)
 */
export function ConfirmDialog<P, R>({
  open,
  onClose,
  title,
  description,
  action,
  payload,
  ready = true,
  waiting = false,
  onIncomplete,
  onDone,
  confirmLabel,
  danger,
  preview,
  advice,
  repeatable = false,
  otherTry = 'What is entered now would come on top of it. Look at the ledger first.',
  describe,
  children,
}: ConfirmDialogProps<P, R>) {
  const pending = action.status === 'pending';
  const { reset } = action;
  const { ended } = useSession();
  // Each opening is a new intent, or an unsettled one taken up again; what the last one ended with is over. So is a
  // refusal for want of a session, once there is one again.
  useEffect(() => {
    if (open && !ended) reset();
  }, [open, ended, reset]);
  const { announce } = useToast();
  const shown = useRef(false);
  useEffect(() => {
    shown.current = open;
    return () => {
      shown.current = false;
    };
  }, [open]);
  const submit = (sent: P, earlier?: EarlierTry<P>) => {
    void action.submit(sent, earlier).then((outcome) => {
      if (outcome.kind === 'done') onDone(outcome.result, !shown.current);
      if (outcome.kind === 'failed' && !shown.current) announce(failureText(describe?.(sent) ?? title, outcome.problem), { tone: 'danger' });
    });
  };
  const same = action.sameTry(payload);
  const other = action.otherTry(payload);
  const isRetry = action.isRetry(payload);
  const isAgain = isRetry || same !== undefined;
  // Confirmed while it was not known yet what it will do; anything that is typed after that takes it back.
  const [confirmed, setConfirmed] = useState(false);
  const onKnown = useEffectEvent(() => {
    setConfirmed(false);
    if (open && ready && payload !== undefined) submit(payload, same);
  });
  useEffect(() => {
    // Once for each click: it ends the waiting that this effect is for.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    if (confirmed && !waiting) onKnown();
  }, [confirmed, waiting]);
  const confirm = (form: HTMLFormElement) => {
    if (waiting && payload !== undefined && !isAgain) {
      setConfirmed(true);
      return;
    }
    if (payload === undefined || !(ready || isAgain)) {
      // Immediately, so that the first field that turns out to be wrong can have the focus.
      flushSync(() => onIncomplete?.());
      form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
      return;
    }
    submit(payload, same);
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      held={pending}
      keepsText={action.isUncertain}
      isDone={action.isDone}
      {...(description === undefined ? {} : { description })}
    >
      <form
        noValidate
        className="till-form"
        onInput={() => setConfirmed(false)}
        onSubmit={(event) => {
          event.preventDefault();
          confirm(event.currentTarget);
        }}
      >
        {children}
        {preview !== undefined && (
          <div className="till-preview" role="status">
            {preview}
          </div>
        )}
        {action.problem !== null && !(ended && action.problem.status === 401) && (
          <div className="till-notice till-notice-danger till-notice-stack" role="alert">
            <strong>{action.problem.title}</strong>
            <span>{problemText(action.problem, 'change')}</span>
            <ProblemFields problem={action.problem} />
            {advice}
            {action.isUncertain && (
              <span>
                It is not known whether this was done.{' '}
                {isRetry && (
                  <>
                    <strong>Sending exactly this again is safe:</strong> it is done once, and you will see the result.
                  </>
                )}
              </span>
            )}
            <CorrelationId problem={action.problem} />
          </div>
        )}
        {same !== undefined && !pending && !(action.isUncertain && isRetry) && (
          <div className="till-notice till-notice-warning till-notice-stack" role="alert">
            <span>
              This is the same as an earlier try{timeOf(same)}, which got no answer and may have been done. Sending it again shows what became
              of it, and does not do it twice.
            </span>
            {repeatable && (
              <>
                <span>If you know that it was done and want to do it once more, forget the earlier try first.</span>
                <Button label="It was done: forget the earlier try" kind="secondary" onClick={() => action.forgetTry(same)} />
              </>
            )}
          </div>
        )}
        {other !== undefined && !pending && (
          <div className="till-notice till-notice-warning till-notice-stack" role="alert">
            <span>
              {payload === undefined ? 'An earlier try' : 'An earlier try with other values'} got no answer and may have been done
              {describe === undefined ? '.' : `: ${describe(other.payload)}.`} {otherTry}
            </span>
            <span>Sending that one again is safe: it is done once, and you will see the result.</span>
            <Button label="Send the earlier one again" kind="secondary" onClick={() => submit(other.payload, other)} />
          </div>
        )}
        <DialogActions>
          <Button
            submit
            label={pending || confirmed ? 'Working…' : same !== undefined || (action.isUncertain && isRetry) ? 'Send again' : confirmLabel}
            kind={danger === true ? 'danger' : 'primary'}
            busy={pending || confirmed}
          />
        </DialogActions>
      </form>
    </Dialog>
  );
}

function timeOf({ intent }: EarlierTry<unknown>): string {
  return intent.at === undefined ? '' : ` (${formatInstant(intent.at)})`;
}

/** What a rep is told who has left before it failed. */
function failureText(what: string, problem: Problem): string {
  return problem.isUncertain
    ? `It is not known whether this was done: ${what}. ${problemText(problem)} To find out, open the same dialog again.`
    : `This failed: ${what}. ${problem.title}. ${problemText(problem, 'change')}`;
}
