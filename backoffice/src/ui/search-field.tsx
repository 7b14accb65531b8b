import { useEffect, useState } from 'react';

import { TextInput } from './fields.tsx';

/** How long a pause in typing has to be before the text is searched for. */
const PAUSE_MS = 350;

interface SearchFieldProps {
  readonly label: string;
  /** The query of the address. */
  readonly asked: string;
  /** Called after a pause in typing, with a text that has no error. */
  readonly onAsk: (text: string) => void;
  /** Called on Enter instead, where that does more than to search. */
  readonly onEnter?: (text: string) => void;
  /** Why a text cannot be searched for. */
  readonly errorOf?: (text: string) => string | undefined;
  readonly maxLength: number;
  readonly hint?: string;
  readonly className?: string;
}

/** Searches while the user types, after a pause; immediately on Enter. Escape empties it. */
export function SearchField({ label, asked, onAsk, onEnter = onAsk, errorOf, maxLength, hint, className = '' }: SearchFieldProps) {
  const [text, setText] = useState(asked);
  const [shownFor, setShownFor] = useState(asked);
  const [sent, setSent] = useState(asked);
  if (shownFor !== asked) {
    setShownFor(asked);
    // Something else changed the address: Back, or the search of the header. What was typed here stays as it is:
    // there may be more of it by the time the address follows.
    if (asked !== sent) setText(asked);
  }
  const typed = text.trim();
  const error = typed === '' ? undefined : errorOf?.(typed);
  const ask = (query: string, searching = onAsk) => {
    setSent(query);
    searching(query);
  };
  useEffect(() => {
    if (typed === asked.trim() || error !== undefined) return undefined;
    const timer = setTimeout(() => ask(typed), PAUSE_MS);
    return () => clearTimeout(timer);
    // Only typing starts the pause again; another function to call does not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [text, asked]);
  return (
    <form
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        if (error === undefined) ask(typed, onEnter);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || text === '') return;
        setText('');
        ask('');
      }}
    >
      <TextInput
        label={label}
        value={text}
        onChange={setText}
        maxLength={maxLength}
        error={error}
        {...(hint === undefined ? {} : { hint })}
      />
    </form>
  );
}
