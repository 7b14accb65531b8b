import { useEffect, useRef, useState } from 'react';
import { Link, NavLink, Outlet, ScrollRestoration, useNavigation } from 'react-router';

import { useUnknownCount } from '../api/queries.ts';
import { SessionEnded } from '../auth/session-ended.tsx';
import { useSession } from '../auth/session.ts';
import { Button } from '../ui/button.tsx';
import { BrandMark } from '../ui/full-page.tsx';
import { WaitingContext } from '../ui/page.tsx';
import { useTheme } from '../ui/theme.tsx';
import { places } from './places.ts';
import { SearchBox } from './search-box.tsx';

const SECTIONS = [
  { to: places.customers(), label: 'Customers' },
  { to: places.purchases(), label: 'Purchases' },
  { to: places.attempts(), label: 'Attempts' },
  { to: places.promoCodes(), label: 'Promo codes' },
] as const;

/** What stands around every page: navigation, search, who is signed in. */
export function Shell() {
  const navigation = useNavigation();
  const count = useUnknownCount();
  const waiting = count === '0' ? undefined : count;
  return (
    <div className="till-shell">
      <a className="till-skip" href="#content">
        Skip to the content
      </a>
      <header className="till-header">
        <Link to="/" className="till-brand" aria-label="Till back office, home">
          <BrandMark />
          <span>Till</span>
        </Link>
        <nav className="till-nav" aria-label="Sections">
          {SECTIONS.map((section) => (
            <NavLink key={section.to} to={section.to}>
              {section.label}
              {section.to === places.attempts() && waiting !== undefined && (
                <>
                  {' '}
                  <span className="till-count till-count-some">
                    {waiting} <span className="till-hidden">of unknown outcome</span>
                  </span>
                </>
              )}
            </NavLink>
          ))}
        </nav>
        <SearchBox />
        <div className="till-header-end">
          <ThemeToggle />
          <ViewerMenu />
        </div>
        {navigation.state === 'loading' && <div className="till-progress" aria-hidden="true" />}
      </header>
      <SessionEnded />
      <main id="content" className="till-content" tabIndex={-1}>
        <WaitingContext.Provider value={waiting}>
          <Outlet />
        </WaitingContext.Provider>
      </main>
      <ScrollRestoration />
    </div>
  );
}

function ThemeToggle() {
  const { shown, choose } = useTheme();
  const other = shown === 'dark' ? 'light' : 'dark';
  const label = `Use the ${other} theme`;
  return (
    <button type="button" className="till-icon-action till-theme-toggle" aria-label={label} title={label} onClick={() => choose(other)}>
      <svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
        {other === 'dark' ? (
          <path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z" />
        ) : (
          <>
            <circle cx="10" cy="10" r="3.4" />
            <path d="M10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M15.7 4.3l-1.2 1.2M5.5 14.5l-1.2 1.2" />
          </>
        )}
      </svg>
    </button>
  );
}

function ViewerMenu() {
  const { viewer, signOut } = useSession();
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const onPointer = (event: PointerEvent) => {
      if (event.target instanceof Node && menu.current?.contains(event.target) !== true) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);
  return (
    <div
      ref={menu}
      className="till-viewer"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && open) {
          setOpen(false);
          button.current?.focus();
        }
      }}
      onBlur={(event) => {
        if (open && event.relatedTarget instanceof Node && !event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button ref={button} type="button" className="till-viewer-button" aria-label={`Account of ${viewer.name}`} aria-expanded={open} aria-controls="till-viewer-panel" onClick={() => setOpen(!open)}>
        <span className="till-avatar" aria-hidden="true">
          {initials(viewer.name)}
        </span>
        <span className="till-viewer-name">{viewer.name}</span>
      </button>
      <div id="till-viewer-panel" className="till-viewer-panel" hidden={!open}>
        <p>
          <strong>{viewer.name}</strong>
        </p>
        <p className="till-small till-muted">
          You are {viewer.isAdmin ? 'an administrator' : 'in support'}. The ledger names you <code>{viewer.subject}</code>.
        </p>
        <Button label="Sign out" kind="secondary" onClick={signOut} />
      </div>
    </div>
  );
}

function initials(name: string): string {
  return name
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => [...word][0]?.toUpperCase() ?? '')
    .filter((_letter, index, all) => index === 0 || index === all.length - 1)
    .join('');
}
