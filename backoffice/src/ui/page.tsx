import { createContext, type ReactNode, useContext, useEffect, useId, useLayoutEffect, useRef } from 'react';
import { useLocation } from 'react-router';

/** How much work waits, in front of the title of the browser's tab; nothing where it is undefined. */
export const WaitingContext = createContext<string | undefined>(undefined);

interface PageProps {
  /** The heading, and the title of the browser's tab. */
  readonly title: string;
  /** Where this page belongs: a link back to the list. */
  readonly above?: ReactNode;
  /** Next to the heading: a badge. */
  readonly badge?: ReactNode;
  /** One line below the heading. */
  readonly lead?: ReactNode;
  /** What one can do here: buttons. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of every page. Moves the focus to the heading after a move from another page. */
export function Page({ title, above, badge, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { pathname, key } = useLocation();
  const waiting = useContext(WaitingContext);
  useEffect(() => {
    document.title = `${waiting === undefined ? '' : `(${waiting}) `}${title} · Till`;
  }, [title, waiting]);
  // Before the page is painted, so that no key press meets the page that was left.
  useLayoutEffect(() => {
    // "default" is the first page of a visit: there, the browser's own order of focus is right.
    if (key !== 'default') heading.current?.focus({ preventScroll: true });
    // Only another path is another page; another filter is not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [pathname]);
  return (
    <article className="till-page">
      <header className="till-page-header">
        <div className="till-page-heading">
          {above !== undefined && <div className="till-page-above">{above}</div>}
          <div className="till-page-title">
            <h1 ref={heading} tabIndex={-1}>
              {title}
            </h1>
            {badge}
          </div>
          {lead !== undefined && <div className="till-page-lead">{lead}</div>}
        </div>
        {actions !== undefined && <div className="till-actions">{actions}</div>}
      </header>
      {children}
    </article>
  );
}

interface CardProps {
  readonly title?: string;
  readonly actions?: ReactNode;
  /** Without padding, for a table that fills it. */
  readonly flush?: boolean;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A part of a page, with a heading of its own. */
export function Card({ title, actions, flush, children, className }: CardProps) {
  const id = useId();
  return (
    <section className={`till-card ${className ?? ''}`} {...(title === undefined ? {} : { 'aria-labelledby': id })}>
      {(title !== undefined || actions !== undefined) && (
        <div className="till-card-header">
          {title !== undefined && <h2 id={id}>{title}</h2>}
          {actions !== undefined && <div className="till-actions">{actions}</div>}
        </div>
      )}
      <div className={flush === true ? 'till-card-flush' : 'till-card-body'}>{children}</div>
    </section>
  );
}

/** A thing that is said about something. */
export interface Fact {
  readonly label: string;
  readonly value: ReactNode;
}

/** Facts about one thing, as a description list. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="till-facts">
      {facts.map((fact) => (
        <div key={fact.label}>
          <dt>{fact.label}</dt>
          <dd>{fact.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A few figures side by side, large: posted, held, available. */
export function Figures({ figures }: { readonly figures: readonly (Fact & { readonly note?: ReactNode })[] }) {
  return (
    <dl className="till-figures">
      {figures.map((figure) => (
        <div key={figure.label} className="till-figure">
          <dt>{figure.label}</dt>
          <dd>
            <span className="till-figure-value">{figure.value}</span>
            {figure.note !== undefined && <span className="till-small till-muted">{figure.note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Filters above a list, in a row. */
export function Toolbar({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div className="till-toolbar" role="search" aria-label={label}>
      {children}
    </div>
  );
}
