import { useCallback } from 'react';
import { type Location, useLocation, useNavigate, useSearchParams } from 'react-router';

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
}

interface CursorState {
  /** The cursor of the page that is shown; undefined on the first. */
  readonly cursor: string | undefined;
  /** For `<Pager of="purchases" {...pages(data?.next_cursor)} />`. */
  readonly pages: (nextCursor: string | null | undefined) => Pages;
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
  const go = (to: string | undefined, newTrail: readonly string[]) => {
    const next = new URLSearchParams(search);
    if (to === undefined || to === '') next.delete(parameter);
    else next.set(parameter, to);
    void navigate(
      { search: next.toString() },
      { state: { ...stateObject(state), [trailName(parameter)]: newTrail }, preventScrollReset: inPlace },
    );
  };
  const before = trail.at(-1);
  return {
    cursor,
    pages: (nextCursor) => ({
      onFirst: cursor === undefined ? undefined : () => go(undefined, []),
      onPrevious: cursor === undefined || before === undefined ? undefined : () => go(before, trail.slice(0, -1)),
      onNext: nextCursor === null || nextCursor === undefined ? undefined : () => go(nextCursor, [...trail, cursor ?? '']),
    }),
  };
}

const trailName = (parameter: string): string => `before:${parameter}`;

function stateObject(state: unknown): object {
  return typeof state === 'object' && state !== null ? state : {};
}

function trailOf(state: unknown, parameter: string): readonly string[] {
  const trail = new Map<string, unknown>(Object.entries(stateObject(state))).get(trailName(parameter));
  return Array.isArray(trail) ? trail.filter((one): one is string => typeof one === 'string') : [];
}
