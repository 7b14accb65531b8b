import { Button as ClickButton } from '@clickhouse/click-ui/Button';
import { Icon } from '@clickhouse/click-ui/Icon';
import type { ComponentProps, MouseEvent, ReactNode } from 'react';
import { Link as RouterLink, type To } from 'react-router';

/** The icons that build/lean-modules.ts keeps; with another one the build would show nothing. */
type IconName = Extract<ComponentProps<typeof Icon>['name'], 'chevron-left' | 'copy' | 'cross' | 'download' | 'refresh'>;

interface ButtonProps {
  readonly label: string;
  readonly onClick?: (event: MouseEvent<HTMLButtonElement>) => void;
  readonly kind?: 'primary' | 'secondary' | 'empty' | 'danger';
  readonly icon?: IconName;
  /** Submits the form it stands in. */
  readonly submit?: boolean;
  readonly disabled?: boolean;
  /** Something is under way: clicks do nothing, and the focus stays (ClickUI would disable the button and drop it). */
  readonly busy?: boolean;
  readonly autoFocus?: boolean;
  readonly className?: string;
}

/** ClickUI's button, of type "button" unless it submits, and with the focus kept while something is under way. */
export function Button({ label, onClick, kind = 'primary', icon, submit, disabled, busy, autoFocus, className }: ButtonProps) {
  const shown = busy === true ? 'loading-animated' : icon;
  return (
    <ClickButton
      label={label}
      type={kind}
      htmlType={submit === true ? 'submit' : 'button'}
      disabled={disabled ?? false}
      aria-disabled={busy === true ? true : undefined}
      aria-busy={busy === true ? true : undefined}
      className={['till-button', busy === true ? 'till-button-busy' : '', className ?? ''].join(' ')}
      onClick={(event) => {
        if (busy === true) event.preventDefault();
        else onClick?.(event);
      }}
      {...(autoFocus === undefined ? {} : { autoFocus })}
      {...(shown === undefined ? {} : { iconLeft: shown })}
    />
  );
}

interface IconActionProps {
  /** What it does: the name of the button, and its tooltip. */
  readonly label: string;
  readonly icon: IconName;
  readonly onClick: (event: MouseEvent<HTMLButtonElement>) => void;
  readonly className?: string;
}

/** A button that shows an icon and has a name. */
export function IconAction({ label, icon, onClick, className }: IconActionProps) {
  return (
    <button type="button" className={`till-icon-action ${className ?? ''}`} aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} size="md" aria-hidden />
    </button>
  );
}

interface TextLinkProps {
  readonly to: To;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A link within the application. */
export function TextLink({ to, children, className }: TextLinkProps) {
  return (
    <RouterLink to={to} className={`till-link ${className ?? ''}`}>
      {children}
    </RouterLink>
  );
}
