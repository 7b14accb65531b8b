import { type ReactNode, useEffect } from 'react';

interface FullPageProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page without the application around it: signing in, not for you, nothing works. */
export function FullPage({ title, actions, children }: FullPageProps) {
  useEffect(() => {
    document.title = `${title} · Till`;
  }, [title]);
  return (
    <main className="till-full-page">
      <div className="till-full-page-card">
        <BrandMark />
        <h1>{title}</h1>
        {children}
        {actions !== undefined && <div className="till-actions">{actions}</div>}
      </div>
    </main>
  );
}

/** The mark of Till. */
export function BrandMark() {
  return (
    <svg className="till-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" className="till-mark-ground" />
      <path d="M8 10h16M16 10v13" className="till-mark-sign" strokeWidth="4" strokeLinecap="round" />
    </svg>
  );
}
