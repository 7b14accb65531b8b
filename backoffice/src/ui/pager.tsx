import { Button } from './button.tsx';

interface PagerProps {
  /** What is paged: "purchases". */
  readonly of: string;
  /** Undefined on the first page. */
  readonly onFirst: (() => void) | undefined;
  /** Undefined where the page before is not known: a shared link to a later page. */
  readonly onPrevious: (() => void) | undefined;
  /** Undefined on the last page. */
  readonly onNext: (() => void) | undefined;
}

/** Goes through a list page by page; see `useCursor`. Shows nothing where there is one page. */
export function Pager({ of, onFirst, onPrevious, onNext }: PagerProps) {
  if (onFirst === undefined && onPrevious === undefined && onNext === undefined) return null;
  return (
    <nav className="till-pager" aria-label={`Pages of ${of}`}>
      <Button label="First page" kind="secondary" disabled={onFirst === undefined} onClick={() => onFirst?.()} />
      <Button label="Previous page" kind="secondary" icon="chevron-left" disabled={onPrevious === undefined} onClick={() => onPrevious?.()} />
      <Button label="Next page" kind="secondary" disabled={onNext === undefined} onClick={() => onNext?.()} />
    </nav>
  );
}
