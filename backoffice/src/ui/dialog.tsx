import { Dialog as ClickDialog } from '@clickhouse/click-ui/Dialog';
import { createContext, type ReactNode, useContext, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

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
  readonly children: ReactNode;
}

interface Closing {
  readonly held: boolean;
  /** It was to be closed, and has text in it. */
  readonly asking: boolean;
  /** Closes, or asks first; the other way round while it asks. */
  readonly close: () => void;
  readonly discard: () => void;
}

const ClosingContext = createContext<Closing>({ held: false, asking: false, close: () => undefined, discard: () => undefined });

/**
 * ClickUI's dialog, with what it lacks: the first focus is in the first field, and goes back at the end to where it was
 * when the dialog opened; the cross has a name; it does not close while it is held, and asks before typed text is lost.
 */
export function Dialog({ open, onClose, title, description, held = false, keepsText = false, children }: DialogProps) {
  const opener = useRef<HTMLElement | null>(null);
  const content = useRef<HTMLElement | null>(null);
  const typedIn = useRef<HTMLElement | null>(null);
  const [asking, setAsking] = useState(false);
  // Before the dialog takes the focus, which it does in a passive effect.
  useLayoutEffect(() => {
    if (!open) return;
    typedIn.current = null;
    if (document.activeElement instanceof HTMLElement) opener.current = document.activeElement;
  }, [open]);
  const close = () => {
    if (held) return;
    if (asking) {
      // Immediately, so that the focus is not lost with the button that was pressed.
      flushSync(() => setAsking(false));
      (typedIn.current?.isConnected === true ? typedIn.current : firstField(content.current))?.focus();
    } else if (typedIn.current !== null && !keepsText) {
      setAsking(true);
    } else {
      onClose();
    }
  };
  const discard = () => {
    setAsking(false);
    onClose();
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
        <ClosingContext.Provider value={{ held, asking, close, discard }}>{children}</ClosingContext.Provider>
      </ClickDialog.Content>
    </ClickDialog>
  );
}

/** The last row of a dialog, always in view: Cancel and what it is for, or the question whether to lose the text. */
export function DialogActions({ children }: { readonly children: ReactNode }) {
  const { held, asking, close, discard } = useContext(ClosingContext);
  return (
    <div className="till-dialog-actions">
      {asking ? (
        <>
          <p role="alert">Close and lose what you typed?</p>
          <Button label="Discard" kind="danger" onClick={discard} />
          <Button label="Keep editing" autoFocus onClick={close} />
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
