import { Icon } from '@clickhouse/click-ui/Icon';
import type { ReactNode } from 'react';

import { Problem } from '../api/problem.ts';
import type { Reading } from '../api/queries.ts';
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

/** What went wrong, in the words of the problem document, with the id that finds it in the log. */
export function ErrorState({ error, onRetry, retrying, title }: ErrorStateProps) {
  const problem = Problem.of(error);
  return (
    <div className="till-state till-error" role="alert">
      <p className="till-state-title">{title ?? problem.title}</p>
      <p>{title === undefined ? problem.detail : `${problem.title}. ${problem.detail}`}</p>
      <ProblemFields problem={problem} />
      <CorrelationId problem={problem} />
      {onRetry !== undefined && <Button label="Try again" kind="secondary" icon="refresh" busy={retrying ?? false} onClick={onRetry} />}
    </div>
  );
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
  if (error !== null && notFound !== undefined && Problem.of(error).status === 404) return <>{notFound}</>;
  if (data === undefined) {
    if (error === null) return <Loading label={loading} />;
    return <ErrorState error={error} onRetry={retry} retrying={isFetching} {...named} />;
  }
  return (
    <>
      {error !== null && (
        <div className="till-notice till-notice-warning" role="alert">
          <span>This could not be brought up to date: {Problem.of(error).detail}</span>
          <Button label="Try again" kind="secondary" busy={isFetching} onClick={retry} />
        </div>
      )}
      {children(data)}
    </>
  );
}
