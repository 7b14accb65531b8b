import { useEffect, useState } from 'react';

import { TextInput } from '../../ui/fields.tsx';

/** How long somebody has to pause before what they typed is searched for. */
const PAUSE_MS = 350;
const LONGEST_QUERY = 100;

interface SearchFieldProps {
  /** The query of the address. */
  readonly asked: string;
  /** Somebody paused. */
  readonly onAsk: (text: string) => void;
  /** Somebody pressed Enter. */
  readonly onEnter: (text: string) => void;
}

/** Searches as one types, after a pause; at once on Enter. Escape empties it. */
export function SearchField({ asked, onAsk, onEnter }: SearchFieldProps) {
  const [text, setText] = useState(asked);
  const [shownFor, setShownFor] = useState(asked);
  const [sent, setSent] = useState(asked);
  if (shownFor !== asked) {
    setShownFor(asked);
    // The search of the header changed the address, or Back. What was typed here stays as it is: somebody may have
    // typed on by the time the address follows.
    if (asked !== sent) setText(asked);
  }
  const ask = (query: string) => {
    setSent(query);
    onAsk(query);
  };
  useEffect(() => {
    const typed = text.trim();
    if (typed === asked.trim()) return undefined;
    const timer = setTimeout(() => ask(typed), PAUSE_MS);
    return () => clearTimeout(timer);
    // Only typing starts the pause anew; another function to call does not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [text, asked]);
  return (
    <form
      className="till-customers-search"
      onSubmit={(event) => {
        event.preventDefault();
        setSent(text.trim());
        onEnter(text.trim());
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || text === '') return;
        setText('');
        ask('');
      }}
    >
      <TextInput
        label="Name, e-mail or id"
        value={text}
        onChange={setText}
        maxLength={LONGEST_QUERY}
        hint="Any part of a name or e-mail address, or a whole customer id."
      />
    </form>
  );
}
