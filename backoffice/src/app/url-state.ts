import type { UseQueryResult } from '@tanstack/react-query';
import { useCallback } from 'react';
import { type Location, useLocation, useNavigate, useSearchParams } from 'react-router';

import { Problem } from '../api/problem.ts';

const CURSOR = 'cursor';

type Values<K extends string> = Readonly<Record<K, string>>;

/**
 * Filters of a list, kept in the address: they can be shared, survive a reload, and are there again on Back.
 *
 * A filter that is not set is ''. Setting one goes back to the first page.
 */
export function useFilters<K extends string>(names: readonly K[]): readonly [Values<K>, (changes: Partial<Values<K>>) => void] {
  const [parameters, setParameters] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ''])) as Values<K>;
  const setFilters = useCallback(
    (changes: Partial<Values<K>>) => {
      setParameters(
        (current) => {
          const next = new URLSearchParams(current);
          for (const [name, value] of Object.entries<string | undefined>(changes)) {
            if (value === undefined || value === '') next.delete(name);
            else next.set(name, value);
          }
          next.delete(CURSOR);
          return next;
        },
        // Back leaves the list, rather than undoing one filter after the other; and the list does not jump.
        { replace: true, preventScrollReset: true },
      );
    },
    [setParameters],
  );
  return [values, setFilters];
}

/** A filter that is one of these, or undefined: the address may be edited by hand. */
export function oneOf<V extends string>(values: readonly V[], value: string): V | undefined {
  return values.find((one) => one === value);
}

/** What `<Pager>` needs. */
interface Pages {
  readonly onFirst: (() => void) | undefined;
  readonly onPrevious: (() => void) | undefined;
  readonly onNext: (() => void) | undefined;
  /** The shown page is that of the question before, so its cursor does not lead on from here. */
  readonly isLoading: boolean;
  /** Set if the API refuses the cursor: goes to the first page in the place of this one. */
  readonly onLost: (() => void) | undefined;
}

/** A query for a page of a cursor list. */
type PageQuery = Pick<UseQueryResult<{ readonly next_cursor: string | null }>, 'data' | 'error' | 'isPlaceholderData'>;

interface CursorState {
  /** The cursor of the page that is shown; undefined on the first. */
  readonly cursor: string | undefined;
  /** For `<Pager of="purchases" {...pages(query)} />`. */
  readonly pages: (query: PageQuery) => Pages;
}

/**
 * The page of a cursor list, in the address. The pages before it are kept in the history, for a cursor only leads
 * forward. A page with two lists names another parameter for the second. A list further down on its page keeps the
 * view where it is (`inPlace`).
 */
export function useCursor(parameter: string = CURSOR, { inPlace = false }: { readonly inPlace?: boolean } = {}): CursorState {
  const navigate = useNavigate();
  const { search, state } = useLocation() as Location<unknown>;
  const cursor = new URLSearchParams(search).get(parameter) ?? undefined;
  const trail = trailOf(state, parameter);
  const go = (to: string | undefined, newTrail: readonly string[], { replace = false } = {}) => {
    const next = new URLSearchParams(search);
    if (to === undefined || to === '') next.delete(parameter);
    else next.set(parameter, to);
    void navigate(
      { search: next.toString() },
      { state: { ...stateObject(state), [trailName(parameter)]: newTrail }, preventScrollReset: inPlace, replace },
    );
  };
  const before = trail.at(-1);
  return {
    cursor,
    pages: ({ data, error, isPlaceholderData }) => {
      const next = data?.next_cursor ?? undefined;
      return {
        onFirst: cursor === undefined ? undefined : () => go(undefined, []),
        onPrevious: cursor === undefined || before === undefined ? undefined : () => go(before, trail.slice(0, -1)),
        onNext: next === undefined || isPlaceholderData ? undefined : () => go(next, [...trail, cursor ?? '']),
        isLoading: next !== undefined && isPlaceholderData,
        onLost: cursor !== undefined && isAboutCursor(error) ? () => go(undefined, [], { replace: true }) : undefined,
      };
    },
  };
}

function isAboutCursor(error: unknown): boolean {
  return error instanceof Problem && error.status === 400 && error.errorOf('cursor') !== undefined;
}

const trailName = (parameter: string): string => `before:${parameter}`;

function stateObject(state: unknown): object {
  return typeof state === 'object' && state !== null ? state : {};
}

function trailOf(state: unknown, parameter: string): readonly string[] {
  const trail = new Map<string, unknown>(Object.entries(stateObject(state))).get(trailName(parameter));
  return Array.isArray(trail) ? trail.filter((one): one is string => typeof one === 'string') : [];
}
