import './details.css';

import type { ReactNode } from 'react';

import { Instant } from './values.tsx';

/** Something that happened. */
export interface Happening {
  readonly id: string;
  /** What happened: "12.50 USD refunded". */
  readonly what: ReactNode;
  readonly at: string;
  /** Who did it. */
  readonly by?: ReactNode;
  readonly tone?: 'good' | 'bad' | 'open' | 'plain';
  /** More about it: a reason, what it came to. */
  readonly children?: ReactNode;
}

/** What happened to one thing, the first first. */
export function Timeline({ label, happenings }: { readonly label: string; readonly happenings: readonly Happening[] }) {
  return (
    <ol className="till-timeline" aria-label={label}>
      {happenings.map((happening) => (
        <li key={happening.id} className={`till-happening till-happening-${happening.tone ?? 'plain'}`}>
          <div className="till-happening-head">
            <span className="till-happening-what">{happening.what}</span>
            <span className="till-small till-muted">
              <Instant at={happening.at} />
              {happening.by !== undefined && (
                <>
                  {' '}
                  by {happening.by}
                </>
              )}
            </span>
          </div>
          {happening.children !== undefined && <div className="till-happening-more">{happening.children}</div>}
        </li>
      ))}
    </ol>
  );
}

/** What a person wrote: a reason, a message. */
export function Quoted({ children }: { readonly children: string }) {
  return <blockquote className="till-quoted">{children}</blockquote>;
}
