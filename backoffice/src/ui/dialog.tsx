import { Dialog as ClickDialog } from '@clickhouse/click-ui/Dialog';
import { createContext, type ReactNode, useContext, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { type Blocker, useBlocker } from 'react-router';

import { SessionEnded } from '../auth/session-ended.tsx';
import { Button, IconAction } from './button.tsx';

interface DialogProps {
  readonly open: boolean;
  /** Escape, the cross, Cancel, and a click outside; after a question, where text would be lost. */
  readonly onClose: () => void;
  readonly title: string;
  readonly description?: string;
  /** Cannot be closed now: something is under way whose result would be missed. */
  readonly held?: boolean;
  /** What was typed is there again at the next opening, so closing loses nothing. */
  readonly keepsText?: boolean;
  /** What it is for is done at this moment, so the page may be left. */
  readonly isDone?: () => boolean;
  readonly children: ReactNode;
}

type BlockedMove = Extract<Blocker, { state: 'blocked' }>;

/** It was to be closed, or its page to be left, and something would be lost. */
interface Asking {
  /** Where the page was to be left. */
  readonly move?: BlockedMove;
}

interface Closing {
  readonly held: boolean;
  readonly asking: boolean;
  /** Closes, or asks first; the other way round while it asks. */
  readonly close: () => void;
  readonly discard: () => void;
}

const ClosingContext = createContext<Closing>({ held: false, asking: false, close: () => undefined, discard: () => undefined });

/**
 * ClickUI's dialog, with what it lacks: the first focus is in the first field, and goes back at the end to where it was
 * when the dialog opened; the cross has a name; it does not close while it is held, and asks before typed text is lost.
 * It also asks before its page is left, by Back or a link, with typed text in it or while it is held.
 */
export function Dialog({ open, onClose, title, description, held = false, keepsText = false, isDone, children }: DialogProps) {
  const opener = useRef<HTMLElement | null>(null);
  const content = useRef<HTMLElement | null>(null);
  const typedIn = useRef<HTMLElement | null>(null);
  const [asking, setAsking] = useState<Asking | null>(null);
  const [was, setWas] = useState({ open, held });
  if (was.open !== open || was.held !== held) {
    setWas({ open, held });
    // What was asked about is over: there is an answer to look at now.
    setAsking(null);
  }
  // Before the dialog takes the focus, which it does in a passive effect.
  useLayoutEffect(() => {
    if (!open) return;
    typedIn.current = null;
    if (document.activeElement instanceof HTMLElement) opener.current = document.activeElement;
  }, [open]);
  const close = () => {
    if (asking !== null) {
      if (asking.move?.state === 'blocked') asking.move.reset();
      // Immediately, so that the focus is not lost with the button that was pressed.
      flushSync(() => setAsking(null));
      (typedIn.current?.isConnected === true ? typedIn.current : firstField(content.current))?.focus();
    } else if (held) {
      return;
    } else if (typedIn.current !== null && !keepsText) {
      setAsking({});
    } else {
      onClose();
    }
  };
  const discard = () => {
    setAsking(null);
    if (asking?.move === undefined) onClose();
    else asking.move.proceed();
  };
  return (
    <ClickDialog open={open} onOpenChange={(next) => !next && close()}>
      <ClickDialog.Content
        title={title}
        className="till-dialog"
        {...(description === undefined ? {} : { description })}
        onInput={({ target }) => {
          if (isTextField(target)) typedIn.current = target;
        }}
        onOpenAutoFocus={(event) => {
          event.preventDefault();
          content.current = event.currentTarget instanceof HTMLElement ? event.currentTarget : null;
          firstField(content.current)?.focus();
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          const back = opener.current?.isConnected === true ? opener.current : document.querySelector('h1');
          back?.focus();
        }}
      >
        {!held && <IconAction label="Close" icon="cross" onClick={close} className="till-dialog-close" />}
        <SessionEnded />
        <StayOnPage
          isAtStake={() => isDone?.() !== true && (held || typedIn.current !== null)}
          onBlocked={(move) => setAsking({ move })}
        />
        <ClosingContext.Provider value={{ held, asking: asking !== null, close, discard }}>{children}</ClosingContext.Provider>
      </ClickDialog.Content>
    </ClickDialog>
  );
}

interface StayOnPageProps {
  readonly isAtStake: () => boolean;
  readonly onBlocked: (move: BlockedMove) => void;
}

/** Blocks moves to another page. In the content, which is there only while the dialog is open: a router has one blocker. */
function StayOnPage({ isAtStake, onBlocked }: StayOnPageProps) {
  const blocker = useBlocker(({ currentLocation, nextLocation }) => currentLocation.pathname !== nextLocation.pathname && isAtStake());
  const tell = useEffectEvent(onBlocked);
  useEffect(() => {
    if (blocker.state === 'blocked') tell(blocker);
  }, [blocker]);
  return null;
}

/** The last row of a dialog, always in view: Cancel and what it is for, or the question whether to lose the text. */
export function DialogActions({ children }: { readonly children: ReactNode }) {
  const { held, asking, close, discard } = useContext(ClosingContext);
  return (
    <div className="till-dialog-actions">
      {asking ? (
        <>
          <p role="alert">
            {held ? 'This is under way and cannot be stopped. Leave now, and be told later what became of it?' : 'Close and lose what you typed?'}
          </p>
          <Button label={held ? 'Leave' : 'Discard'} kind="danger" onClick={discard} />
          <Button label={held ? 'Stay' : 'Keep editing'} autoFocus onClick={close} />
        </>
      ) : (
        <>
          <Button label="Cancel" kind="secondary" disabled={held} onClick={close} />
          {children}
        </>
      )}
    </div>
  );
}

function isTextField(target: EventTarget): target is HTMLInputElement | HTMLTextAreaElement {
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !/^(radio|checkbox)$/.test(target.type));
}

/** The first field, or the first action where there is none: what the rep is asked for, not the cross. */
function firstField(content: HTMLElement | null): HTMLElement | null | undefined {
  const field = content?.querySelector<HTMLElement>(
    ':is(input, textarea, select, [role="radio"]):not(:disabled, [aria-hidden="true"])',
  );
  const chosen = field?.closest('[role="radiogroup"]')?.querySelector<HTMLElement>('[role="radio"][aria-checked="true"]');
  return chosen ?? field ?? content?.querySelector<HTMLElement>('.till-dialog-actions button');
}
