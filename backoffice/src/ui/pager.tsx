import { useEffect, useEffectEvent } from 'react';

import { Button } from './button.tsx';
import { useToast } from './toast.tsx';

interface PagerProps {
  /** What is paged: "purchases". */
  readonly of: string;
  /** Undefined on the first page. */
  readonly onFirst: (() => void) | undefined;
  /** Undefined where the page before is not known: a shared link to a later page. */
  readonly onPrevious: (() => void) | undefined;
  /** Undefined on the last page. */
  readonly onNext: (() => void) | undefined;
  /** It is not known yet which page is next: the button keeps the focus, and does nothing. */
  readonly isLoading: boolean;
  /** Set where there is no such page: called once, to go to the first one. */
  readonly onLost: (() => void) | undefined;
}

/** Goes through a list page by page; see `useCursor`. Shows nothing where there is one page. */
export function Pager({ of, onFirst, onPrevious, onNext, isLoading, onLost }: PagerProps) {
  const { announce } = useToast();
  const startAgain = useEffectEvent(() => {
    onLost?.();
    announce('The page in this link does not exist. The list is shown from its first page.');
  });
  const isLost = onLost !== undefined;
  useEffect(() => {
    if (isLost) startAgain();
  }, [isLost]);
  if (onFirst === undefined && onPrevious === undefined && onNext === undefined && !isLoading) return null;
  return (
    <nav className="till-pager" aria-label={`Pages of ${of}`}>
      <Button label="First page" kind="secondary" disabled={onFirst === undefined} onClick={() => onFirst?.()} />
      <Button label="Previous page" kind="secondary" icon="chevron-left" disabled={onPrevious === undefined} onClick={() => onPrevious?.()} />
      <Button label="Next page" kind="secondary" busy={isLoading} disabled={onNext === undefined && !isLoading} onClick={() => onNext?.()} />
    </nav>
  );
}
