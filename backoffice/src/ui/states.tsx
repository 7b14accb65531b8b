import { Icon } from '@clickhouse/click-ui/Icon';
import { type ReactNode, useContext } from 'react';

import { Problem } from '../api/problem.ts';
import { problemText } from '../api/problem-text.ts';
import type { Reading } from '../api/queries.ts';
import { SessionContext } from '../auth/session.ts';
import { Button } from './button.tsx';

interface LoadingProps {
  /** What is being loaded: "Loading purchases". */
  readonly label?: string;
}

/** Something is on its way. */
export function Loading({ label = 'Loading' }: LoadingProps) {
  return (
    <div className="till-state till-loading" role="status">
      <Icon name="loading-animated" size="md" aria-hidden />
      <span>{label}…</span>
    </div>
  );
}

interface EmptyProps {
  readonly title: string;
  /** Why there is nothing, and what to do about it. */
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** There is nothing to show, and that is no error. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="till-state till-empty">
      <p className="till-state-title">{title}</p>
      {children !== undefined && <div className="till-muted">{children}</div>}
      {action}
    </div>
  );
}

interface ErrorStateProps {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  readonly retrying?: boolean;
  /** What could not be shown, where the problem alone does not tell: "The ledger could not be loaded". */
  readonly title?: string;
}

/** What went wrong, and the id that finds it in the log. */
export function ErrorState({ error, onRetry, retrying, title }: ErrorStateProps) {
  const problem = Problem.of(error);
  if (useIsForSignIn(problem)) return <p className="till-state till-muted">Sign in again to see this.</p>;
  return (
    <div className="till-state till-error" role="alert">
      <p className="till-state-title">{title ?? problem.title}</p>
      <p>{title === undefined ? problemText(problem) : `${problem.title}. ${problemText(problem)}`}</p>
      <ProblemFields problem={problem} />
      <CorrelationId problem={problem} />
      {onRetry !== undefined && <Button label="Try again" kind="secondary" icon="refresh" busy={retrying ?? false} onClick={onRetry} />}
    </div>
  );
}

/** The session has ended, and that is why: SessionEnded says so already, and what to do. */
function useIsForSignIn(problem: Problem | null): boolean {
  const ended = useContext(SessionContext)?.ended === true;
  return ended && problem?.status === 401;
}

/** The fields that a problem names. */
export function ProblemFields({ problem }: { readonly problem: Problem }) {
  if (problem.errors.length === 0) return null;
  return (
    <ul className="till-plain-list">
      {problem.errors.map((one) => (
        <li key={`${one.field} ${one.message}`}>
          <code>{one.field}</code>: {one.message}
        </li>
      ))}
    </ul>
  );
}

/** The id of a request, to be told to the people who run Till. */
export function CorrelationId({ problem }: { readonly problem: Problem }) {
  if (problem.correlationId === undefined) return null;
  return (
    <p className="till-small till-muted">
      Correlation id <code className="till-break">{problem.correlationId}</code>
    </p>
  );
}

interface AnswerProps<T> {
  readonly query: Reading<T>;
  /** What is being loaded: "Loading purchases". */
  readonly loading: string;
  /** What could not be shown: "The purchases could not be loaded". */
  readonly failed?: string;
  /** What a 404 means here; without it, a 404 is an error like others. */
  readonly notFound?: ReactNode;
  readonly children: (data: T) => ReactNode;
}

/**
 * A query in all its states: loading, failed (with another try), not found, and there.
 *
 * What was loaded stays when a later refresh fails; a line above it says so.
 */
export function Answer<T>({ query, loading, failed, notFound, children }: AnswerProps<T>) {
  const { data, error, isFetching, refetch } = query;
  const retry = () => void refetch();
  const named = failed === undefined ? {} : { title: failed };
  const problem = error === null ? null : Problem.of(error);
  const isForSignIn = useIsForSignIn(problem);
  if (notFound !== undefined && problem?.status === 404) return <>{notFound}</>;
  if (data === undefined) {
    if (error === null) return <Loading label={loading} />;
    return <ErrorState error={error} onRetry={retry} retrying={isFetching} {...named} />;
  }
  return (
    <>
      {problem !== null && !isForSignIn && (
        <div className="till-notice till-notice-warning" role="alert">
          <span>This could not be brought up to date: {problemText(problem)}</span>
          <Button label="Try again" kind="secondary" busy={isFetching} onClick={retry} />
        </div>
      )}
      {children(data)}
    </>
  );
}
