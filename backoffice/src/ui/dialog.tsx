import { Dialog as ClickDialog } from '@clickhouse/click-ui/Dialog';
import { type ReactNode, useLayoutEffect, useRef } from 'react';

import { IconAction } from './button.tsx';

interface DialogProps {
  readonly open: boolean;
  /** Escape, the cross, and a click outside. */
  readonly onClose: () => void;
  readonly title: string;
  readonly description?: string;
  /** Cannot be closed now: something is under way whose result would be missed. */
  readonly held?: boolean;
  readonly children: ReactNode;
}

/**
 * ClickUI's dialog, mended: the focus goes back to where it was when the dialog opened (a controlled one loses it),
 * the cross has a name, and it does not close while it is held.
 */
export function Dialog({ open, onClose, title, description, held = false, children }: DialogProps) {
  const opener = useRef<HTMLElement | null>(null);
  // Before the dialog takes the focus, which it does in a passive effect.
  useLayoutEffect(() => {
    if (open && document.activeElement instanceof HTMLElement) opener.current = document.activeElement;
  }, [open]);
  const close = () => {
    if (!held) onClose();
  };
  return (
    <ClickDialog open={open} onOpenChange={(next) => !next && close()}>
      <ClickDialog.Content
        title={title}
        className="till-dialog"
        {...(description === undefined ? {} : { description })}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          const back = opener.current?.isConnected === true ? opener.current : document.querySelector('h1');
          back?.focus();
        }}
      >
        {!held && <IconAction label="Close" icon="cross" onClick={close} className="till-dialog-close" />}
        {children}
      </ClickDialog.Content>
    </ClickDialog>
  );
}
