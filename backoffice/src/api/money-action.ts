import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useCallback, useContext, useEffect, useRef, useState } from 'react';

import { SessionContext } from '../auth/session.ts';
import { fingerprint, intentsOf } from './intents.ts';
import { Problem } from './problem.ts';

interface MoneyActionOptions<P, R> {
  /** What is acted on and how, like `refund:<purchase id>`. The same payload in another scope is another intent. */
  readonly scope: string;
  /** Makes the request, with exactly this key. Throws a Problem. */
  readonly send: (payload: P, idempotencyKey: string) => Promise<R>;
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

/** An action that moves money: see useMoneyAction. */
export type MoneyAction<P, R> = MoneyState<R> & {
  /** Sends it, unless it is under way or done. Never throws. */
  readonly submit: (payload: P) => Promise<MoneyOutcome<R>>;
  /** Back to the beginning, for a new intent. Does nothing while a request is under way. */
  readonly reset: () => void;
  /** The problem leaves open whether it happened: sending the same again is safe, and tells. */
  readonly isUncertain: boolean;
  /** Submitting this payload now would send what has just failed once more. */
  readonly isRetry: (payload: P | undefined) => boolean;
  /** An earlier payload whose try had no answer, also before a reload: this one may come on top of it. */
  readonly earlierTry: (payload: P | undefined) => P | undefined;
};

const intentOf = (scope: string, print: string): string => `${scope} ${print}`;

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
  const [failed, setFailed] = useState<string | null>(null);
  const lock = useRef<{ readonly intent: string; readonly underWay: boolean } | null>(null);

  const submit = useCallback(
    async (payload: P): Promise<MoneyOutcome<R>> => {
      const print = fingerprint(payload);
      const intent = intentOf(scope, print);
      const held = lock.current;
      if (held !== null && (held.underWay || held.intent === intent)) return { kind: 'ignored' };
      lock.current = { intent, underWay: true };
      setFailed(null);
      setState({ status: 'pending', result: null, problem: null });
      const wasUnsettled = intents.isUnsettled(scope, print);
      // Before it is sent: the page may be gone before the answer comes.
      intents.markUnsettled(scope, print);
      let result: R;
      try {
        result = await send(payload, intents.keyOf(scope, print));
      } catch (error) {
        const problem = Problem.of(error);
        if (problem.isFinal || !(problem.isUncertain || wasUnsettled)) intents.markSettled(scope, print);
        // It may have been done: show what there is now.
        if (problem.isUncertain) for (const queryKey of affects()) void client.invalidateQueries({ queryKey });
        lock.current = null;
        setFailed(intent);
        setState({ status: 'failed', result: null, problem });
        return { kind: 'failed', problem };
      }
      intents.forget(scope, print);
      lock.current = { intent, underWay: false };
      setState({ status: 'done', result, problem: null });
      for (const queryKey of affects()) void client.invalidateQueries({ queryKey });
      return { kind: 'done', result };
    },
    [scope, send, affects, intents, client],
  );

  const reset = useCallback(() => {
    if (lock.current?.underWay === true) return;
    lock.current = null;
    setFailed(null);
    setState(IDLE);
  }, []);

  const isRetry = useCallback(
    (payload: P | undefined) => payload !== undefined && failed === intentOf(scope, fingerprint(payload)),
    [scope, failed],
  );

  const earlierTry = useCallback(
    (payload: P | undefined) => {
      const other = intents.otherUnsettled(scope, payload === undefined ? undefined : fingerprint(payload));
      // A payload's fingerprint is the payload itself, as JSON.
      return other === undefined ? undefined : (JSON.parse(other) as P);
    },
    [scope, intents],
  );

  const isUncertain = state.problem?.isUncertain ?? false;
  const isOpen = isUncertain || state.status === 'pending';
  useEffect(() => {
    if (!isOpen) return;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', stay);
    return () => window.removeEventListener('beforeunload', stay);
  }, [isOpen]);

  return { ...state, submit, reset, isUncertain, isRetry, earlierTry };
}
