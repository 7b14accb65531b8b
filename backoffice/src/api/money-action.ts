import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useCallback, useContext, useEffect, useReducer, useRef, useState } from 'react';

import { SessionContext } from '../auth/session.ts';
import { fingerprint, intentOf, intentsOf, type Unsettled } from './intents.ts';
import { Problem } from './problem.ts';

interface MoneyActionOptions<P, R> {
  /** What is acted on and how, like `refund:<purchase id>`. The same payload in another scope is another intent. */
  readonly scope: string;
  /** Makes the request, with exactly this key. Throws a Problem. `wasUnsettled`: an earlier try of it had no answer. */
  readonly send: (payload: P, idempotencyKey: string, wasUnsettled: boolean) => Promise<R>;
  /** The queries whose answers are out of date afterwards. */
  readonly affects: () => readonly QueryKey[];
}

/** What became of one submission. `ignored`: it was under way or done already, so nothing was sent. */
export type MoneyOutcome<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'ignored' };

type MoneyState<R> =
  | { readonly status: 'idle'; readonly result: null; readonly problem: null }
  | { readonly status: 'pending'; readonly result: null; readonly problem: null }
  | { readonly status: 'done'; readonly result: R; readonly problem: null }
  | { readonly status: 'failed'; readonly result: null; readonly problem: Problem };

/** A try that has no answer yet, also of another tab or before a reload. */
export interface EarlierTry<P> {
  readonly payload: P;
  readonly intent: Unsettled;
}

/** An action that moves money: see useMoneyAction. */
export type MoneyAction<P, R> = MoneyState<R> & {
  /** Sends it, unless it is under way or done; as the earlier try that it repeats, with the key of that one. Never throws. */
  readonly submit: (payload: P, earlier?: EarlierTry<P>) => Promise<MoneyOutcome<R>>;
  /** Back to the beginning, for a new intent. Does nothing while a request is under way. */
  readonly reset: () => void;
  /** The problem leaves open whether it happened: sending the same again is safe, and tells. */
  readonly isUncertain: boolean;
  /** Submitting this payload now would send what has just failed once more. */
  readonly isRetry: (payload: P | undefined) => boolean;
  /** An earlier try of this payload. */
  readonly sameTry: (payload: P | undefined) => EarlierTry<P> | undefined;
  /** An earlier try of another payload: this one may come on top of it. */
  readonly otherTry: (payload: P | undefined) => EarlierTry<P> | undefined;
  /** The rep knows what became of it: the same payload is a new intent from now on. */
  readonly forgetTry: (earlier: EarlierTry<P>) => void;
  /** It is done at this moment, whatever was rendered last. */
  readonly isDone: () => boolean;
};

/** What was sent last and failed. */
interface Failed {
  readonly intent: string;
  /** Unless it is certain that it has had no effect. */
  readonly unsettled: Unsettled | undefined;
}

const IDLE = { status: 'idle', result: null, problem: null } as const;

/**
 * An action that moves money (or changes anything else that must happen once).
 *
 * Never optimistic: nothing is shown as done before the server said so.
 *
 * Never twice: a ref is locked within the click itself, before React renders anything, so a second click of the
 * same tick finds it locked. An error releases it. Success does not: what is done stays done until `reset`, or
 * until the payload, and with it the intent, is another one.
 *
 * One Idempotency-Key per intent: retries send the same, another payload another. See Intents.
 */
export function useMoneyAction<P, R>({ scope, send, affects }: MoneyActionOptions<P, R>): MoneyAction<P, R> {
  const client = useQueryClient();
  const intents = intentsOf(client, useContext(SessionContext)?.viewer.subject);
  const [state, setState] = useState<MoneyState<R>>(IDLE);
  const [failed, setFailed] = useState<Failed | null>(null);
  const lock = useRef<{ readonly intent: string; readonly underWay: boolean } | null>(null);

  const submit = useCallback(
    async (payload: P, earlier?: EarlierTry<P>): Promise<MoneyOutcome<R>> => {
      const print = fingerprint(payload);
      const intent = intentOf(scope, print);
      const held = lock.current;
      if (held !== null && (held.underWay || held.intent === intent)) return { kind: 'ignored' };
      lock.current = { intent, underWay: true };
      setFailed(null);
      setState({ status: 'pending', result: null, problem: null });
      // Another tab may have settled what has just failed here; its key is still the one that makes it safe to send again.
      const repeated = earlier?.intent ?? (failed?.intent === intent ? failed.unsettled : undefined);
      // Before it is sent: the page may be gone before the answer comes.
      const begun = intents.begin(scope, print, repeated);
      let result: R;
      try {
        result = await send(payload, begun.key, begun.wasUnsettled);
      } catch (error) {
        const problem = Problem.of(error);
        const settled = problem.isFinal || !(problem.isUncertain || begun.wasUnsettled);
        if (settled) intents.settle(begun);
        else intents.keep(begun);
        // It may have been done: show what there is now.
        if (problem.isUncertain) for (const queryKey of affects()) void client.invalidateQueries({ queryKey });
        lock.current = null;
        setFailed({ intent, unsettled: settled ? undefined : begun });
        setState({ status: 'failed', result: null, problem });
        return { kind: 'failed', problem };
      }
      intents.forget(begun);
      lock.current = { intent, underWay: false };
      setState({ status: 'done', result, problem: null });
      for (const queryKey of affects()) void client.invalidateQueries({ queryKey });
      return { kind: 'done', result };
    },
    [scope, send, affects, intents, client, failed],
  );

  const reset = useCallback(() => {
    if (lock.current?.underWay === true) return;
    lock.current = null;
    setFailed(null);
    setState(IDLE);
  }, []);

  const isRetry = useCallback(
    (payload: P | undefined) => payload !== undefined && failed?.intent === intentOf(scope, fingerprint(payload)),
    [scope, failed],
  );

  const sameTry = useCallback(
    (payload: P | undefined) => (payload === undefined ? undefined : tryOf<P>(intents.unsettled(scope, fingerprint(payload)))),
    [scope, intents],
  );
  const otherTry = useCallback(
    (payload: P | undefined) => tryOf<P>(intents.otherUnsettled(scope, payload === undefined ? undefined : fingerprint(payload))),
    [scope, intents],
  );
  const [, readAgain] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    // Another tab has sent or settled something.
    window.addEventListener('storage', readAgain);
    return () => window.removeEventListener('storage', readAgain);
  }, []);
  const forgetTry = useCallback(
    ({ intent }: EarlierTry<P>) => {
      intents.forget(intent);
      setFailed(null);
      readAgain();
    },
    [intents],
  );

  const isDone = useCallback(() => lock.current?.underWay === false, []);

  const isUncertain = state.problem?.isUncertain ?? false;
  const isOpen = isUncertain || state.status === 'pending';
  useEffect(() => {
    if (!isOpen) return;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', stay);
    return () => window.removeEventListener('beforeunload', stay);
  }, [isOpen]);

  return { ...state, submit, reset, isUncertain, isRetry, sameTry, otherTry, forgetTry, isDone };
}

/** A payload's fingerprint is the payload itself, as JSON. */
function tryOf<P>(intent: Unsettled | undefined): EarlierTry<P> | undefined {
  return intent === undefined ? undefined : { payload: JSON.parse(intent.payload) as P, intent };
}
