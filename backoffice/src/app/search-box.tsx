import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';

import { type Api, unwrap, useApi } from '../api/client.ts';
import { problemText } from '../api/problem-text.ts';
import { Problem } from '../api/problem.ts';
import type { SearchMatch } from '../api/types.ts';
import { formatMoney } from '../format/money.ts';
import { LONGEST_QUERY, SHORTEST_QUERY } from '../limits.ts';
import { useDebounced } from '../ui/debounced.ts';
import { places } from './places.ts';

import './search-box.css';

/** How long a pause in typing has to be before the text is searched for. */
const PAUSE_MS = 250;
const FRESH_MS = 10_000;

const HEADINGS: Readonly<Record<SearchMatch['kind'], string>> = {
  customer: 'Customers',
  purchase: 'Purchases',
  attempt: 'Attempts',
  shipment: 'Shipments',
  promo_code: 'Promo codes',
};

/** The page of what was found. */
function placeOf(match: SearchMatch): string {
  switch (match.kind) {
    case 'customer':
      return places.customer(match.id);
    case 'promo_code':
      return places.promoCode(match.id);
    case 'attempt':
      return places.attempt(match.id);
    case 'purchase':
    case 'shipment':
      return places.purchase(match.purchase_id ?? match.id);
  }
}

/** Matches by their kind, the kind of the best match first. */
function grouped(matches: readonly SearchMatch[]): readonly (readonly [SearchMatch['kind'], readonly SearchMatch[]])[] {
  const kinds = [...new Set(matches.map(({ kind }) => kind))];
  return kinds.map((kind) => [kind, matches.filter((match) => match.kind === kind)]);
}

/** Typing somewhere else must not be taken for a shortcut. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

/** What `/` does anywhere on a page: the search takes the focus. */
function useShortcut(focus: () => void): void {
  const focused = useRef(focus);
  useEffect(() => {
    focused.current = focus;
  });
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      // Below an open dialog there is nothing to search.
      if (document.querySelector('[role="dialog"]') !== null) return;
      event.preventDefault();
      focused.current();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function searchFor(api: Api, text: string) {
  return queryOptions({
    queryKey: ['search', text],
    queryFn: ({ signal }) => unwrap(api.GET('/search', { params: { query: { query: text } }, signal })),
    staleTime: FRESH_MS,
  });
}

/**
 * Finds anything: a combobox with a list of links below it. Enter opens what is chosen; with nothing chosen, the
 * only match, as soon as it is found.
 */
export function SearchBox() {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const id = useId();
  const { pathname, search } = useLocation();
  const asked = pathname === places.customers() ? (new URLSearchParams(search).get('query') ?? '') : '';
  const [text, setText] = useState(asked);
  const [shownFor, setShownFor] = useState(asked);
  const [open, setOpen] = useState(asked !== '');
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const [entered, setEntered] = useState<string | undefined>(undefined);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  /** The text whose only match is to be opened when the answer is there. */
  const waiting = useRef<string | undefined>(undefined);
  if (shownFor !== asked) {
    setShownFor(asked);
    setText(asked);
    setOpen(asked !== '');
  }
  const typed = text.trim();
  const paused = useDebounced(typed, PAUSE_MS);
  const wanted = entered === typed || paused === typed ? typed : '';
  const { data, error, isFetching } = useQuery({ ...searchFor(api, wanted), enabled: wanted.length >= SHORTEST_QUERY });
  const found = wanted === typed ? data : undefined;
  const groups = grouped(found?.items ?? []);
  const matches = groups.flatMap(([, items]) => items);
  const isOpen = open && typed !== '';
  const optionId = (index: number) => `${id}-option-${index}`;

  const close = () => {
    waiting.current = undefined;
    setOpen(false);
    setChosen(undefined);
    setEntered(undefined);
  };
  const leaveFor = (place: string) => {
    close();
    setText('');
    void navigate(place);
  };
  useShortcut(() => {
    input.current?.focus();
    input.current?.select();
  });
  useEffect(() => {
    const onPointer = (event: PointerEvent) => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) close();
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, []);
  /** Searches without a pause, and opens the match if there is one only. */
  const openOnly = async (query: string) => {
    setOpen(true);
    setEntered(query);
    if (query.length < SHORTEST_QUERY) return;
    waiting.current = query;
    try {
      const { items } = await queries.fetchQuery(searchFor(api, query));
      const [only] = items;
      if (only !== undefined && items.length === 1 && waiting.current === query) leaveFor(placeOf(only));
    } catch {
      // The list says what went wrong.
    }
  };
  const change = (value: string) => {
    waiting.current = undefined;
    setText(value);
    setOpen(true);
    setChosen(undefined);
    setEntered(undefined);
  };
  const choose = (index: number) => {
    setOpen(true);
    setChosen(index);
    document.getElementById(optionId(index))?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = matches.length - 1;
    switch (event.key) {
      case 'ArrowDown':
        setOpen(true);
        if (last >= 0) choose(chosen === undefined || chosen === last ? 0 : chosen + 1);
        break;
      case 'ArrowUp':
        setOpen(true);
        if (last >= 0) choose(chosen === undefined || chosen === 0 ? last : chosen - 1);
        break;
      case 'Enter': {
        const match = chosen === undefined ? undefined : matches[chosen];
        if (match !== undefined && isOpen) leaveFor(placeOf(match));
        else void openOnly(typed);
        break;
      }
      case 'Escape':
        if (isOpen) close();
        else {
          setText('');
          input.current?.blur();
        }
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      className="till-search"
      role="search"
      onBlur={(event) => {
        if (event.relatedTarget instanceof Node && !event.currentTarget.contains(event.relatedTarget)) close();
      }}
    >
      <div className="till-search-field">
        <svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
          <circle cx="9" cy="9" r="5.5" />
          <path d="m13.2 13.2 3.3 3.3" />
        </svg>
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Search by name, e-mail, id or code"
          aria-keyshortcuts="/"
          aria-autocomplete="list"
          aria-expanded={isOpen && matches.length > 0}
          aria-controls={`${id}-matches`}
          {...(isOpen && chosen !== undefined ? { 'aria-activedescendant': optionId(chosen) } : {})}
          placeholder="Name, e-mail, id or code"
          autoComplete="off"
          spellCheck={false}
          maxLength={LONGEST_QUERY}
          value={text}
          onChange={(event) => {
            change(event.target.value);
            // What is pasted is complete.
            if (event.nativeEvent instanceof InputEvent && event.nativeEvent.inputType === 'insertFromPaste') {
              void openOnly(event.target.value.trim());
            }
          }}
          onFocus={() => setOpen(true)}
          onKeyDown={onKeyDown}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <div className="till-search-popup" hidden={!isOpen}>
        <div id={`${id}-matches`} role="listbox" aria-label="Matches" className="till-search-matches">
          {groups.map(([kind, items]) => (
            <div key={kind} role="group" aria-label={HEADINGS[kind]}>
              <div className="till-search-heading" aria-hidden="true">
                {HEADINGS[kind]}
              </div>
              {items.map((match) => {
                const index = matches.indexOf(match);
                return (
                  <Link
                    key={match.id}
                    id={optionId(index)}
                    role="option"
                    aria-selected={index === chosen}
                    tabIndex={-1}
                    className="till-search-option"
                    to={placeOf(match)}
                    onPointerMove={() => setChosen(index)}
                    onClick={(event) => {
                      // With Ctrl or Cmd it opens in another tab, and the list stays.
                      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                      event.preventDefault();
                      leaveFor(placeOf(match));
                    }}
                  >
                    <MatchText match={match} unavailable={found?.customers_unavailable ?? false} />
                  </Link>
                );
              })}
            </div>
          ))}
        </div>
        <p role="status" className="till-search-status">
          {statusOf({ typed, error, searching: isFetching || wanted !== typed, found })}
        </p>
      </div>
    </div>
  );
}

interface MatchTextProps {
  readonly match: SearchMatch;
  /** The Customer API does not answer: a name may be missing for that alone. */
  readonly unavailable: boolean;
}

function MatchText({ match, unavailable }: MatchTextProps) {
  if (match.kind === 'customer') {
    const nameless = unavailable ? 'The name is not available at the moment' : 'Not known to the Customer API any more';
    return (
      <>
        <span className="till-search-name">{match.name ?? nameless}</span>
        <span className="till-search-detail">{match.email ?? match.id}</span>
      </>
    );
  }
  const details = [
    match.kind === 'promo_code' ? null : match.name,
    match.total === null || match.currency === null ? null : formatMoney(match.total, match.currency),
    match.status === null ? null : match.status.toLowerCase().replaceAll('_', ' '),
  ];
  return (
    <>
      <span className="till-search-name">{match.id}</span>
      <span className="till-search-detail">{details.filter((detail) => detail !== null).join(' · ')}</span>
    </>
  );
}

interface Status {
  readonly typed: string;
  readonly error: unknown;
  readonly searching: boolean;
  readonly found: { readonly items: readonly SearchMatch[]; readonly more_customers: boolean; readonly customers_unavailable: boolean } | undefined;
}

function statusOf({ typed, error, searching, found }: Status): string {
  if (typed.length < SHORTEST_QUERY) return 'Type at least two characters.';
  if (searching) return 'Searching…';
  if (error !== null) return `The search failed. ${problemText(Problem.of(error))}`;
  if (found === undefined) return '';
  if (found.customers_unavailable) return 'The Customer API does not answer: customers may be missing.';
  if (found.more_customers) return 'More customers match. Type another word of the name, or the e-mail address.';
  const { length } = found.items;
  if (length === 0) return 'Nothing matches. Ids can be shortened to 8 characters; customers are found by whole words.';
  return length === 1 ? '1 match' : `${length} matches`;
}
