import { Badge } from '@clickhouse/click-ui/Badge';
import { type ComponentProps, useState } from 'react';

import type { AttemptState, EntryKind, PromoState, PurchaseStatus } from '../api/types.ts';
import { formatMoney } from '../format/money.ts';
import { exactUtc, formatDate, formatNear } from '../format/time.ts';
import { IconAction } from './button.tsx';
import { useNow } from './now.ts';
import { useToast } from './toast.tsx';

interface MoneyProps {
  readonly minor: number;
  readonly currency: string;
  /** A sign in front, and a colour where money comes in: for movements. */
  readonly signed?: boolean;
}

/** An amount in the viewer's locale. */
export function Money({ minor, currency, signed }: MoneyProps) {
  const tone = signed === true && minor > 0 ? ' till-money-in' : '';
  return <span className={`till-money${tone}`}>{formatMoney(minor, currency, { signed: signed ?? false })}</span>;
}

interface InstantProps {
  readonly at: string;
  /** Only the day; the time still is in the title. */
  readonly dateOnly?: boolean;
}

/** A time, relative where it is near; the exact one in UTC on hover, and while it has the focus. */
export function Instant({ at, dateOnly }: InstantProps) {
  const now = useNow(60_000);
  const [exact, setExact] = useState(false);
  return (
    <time
      dateTime={at}
      title={exactUtc(at)}
      className="till-instant"
      tabIndex={0}
      onFocus={() => setExact(true)}
      onBlur={() => setExact(false)}
    >
      {exact ? exactUtc(at) : dateOnly === true ? formatDate(at) : formatNear(at, now)}
    </time>
  );
}

interface WhoProps {
  readonly subject: string;
  readonly name: string | null;
}

/** Who did something: by name, as it was then, or by the subject of a customer or a program. */
export function Who({ subject, name }: WhoProps) {
  return name === null ? (
    <code className="till-who">{subject}</code>
  ) : (
    <span className="till-who" title={subject}>
      {name}
    </span>
  );
}

/** In a cell where there is nothing. */
export function None() {
  return (
    <span className="till-muted">
      <span aria-hidden="true">–</span>
      <span className="till-hidden">None</span>
    </span>
  );
}

type Status = PurchaseStatus | AttemptState | PromoState | EntryKind;

interface Appearance {
  readonly text: string;
  readonly state: NonNullable<ComponentProps<typeof Badge>['state']>;
}

const STATUSES: Readonly<Record<Status, Appearance>> = {
  COMPLETED: { text: 'Completed', state: 'success' },
  PARTIALLY_REFUNDED: { text: 'Partly refunded', state: 'warning' },
  REFUNDED: { text: 'Refunded', state: 'neutral' },
  PENDING: { text: 'Pending', state: 'info' },
  UNKNOWN: { text: 'Outcome unknown', state: 'danger' },
  VOIDED: { text: 'Voided', state: 'neutral' },
  ACTIVE: { text: 'Active', state: 'success' },
  DEACTIVATED: { text: 'Deactivated', state: 'neutral' },
  GRANT: { text: 'Grant', state: 'success' },
  DEDUCTION: { text: 'Deduction', state: 'warning' },
  PURCHASE: { text: 'Purchase', state: 'info' },
  REFUND: { text: 'Refund', state: 'neutral' },
};

/** The word for a status, a state or a kind of ledger entry. */
export function statusText(status: Status): string {
  return STATUSES[status].text;
}

/** A status, a state or a kind of ledger entry; in words, so never by colour alone. */
export function StatusBadge({ status }: { readonly status: Status }) {
  const { text, state } = STATUSES[status];
  return <Badge text={text} state={state} size="sm" ellipsisContent={false} className="till-badge" />;
}

interface IdProps {
  readonly value: string;
  /** Whose id it is, for the button that copies it: "purchase id". */
  readonly name: string;
  /** Its first eight characters only, where many stand below each other; it is copied whole. */
  readonly short?: boolean;
}

/** An id, with a button that copies it. */
export function Id({ value, name, short }: IdProps) {
  const { announce } = useToast();
  const copy = () => {
    navigator.clipboard.writeText(value).then(
      () => announce(`Copied the ${name}.`),
      (error: unknown) => announce(`The ${name} could not be copied: ${String(error)}`, { tone: 'danger' }),
    );
  };
  return (
    <span className="till-id">
      <code className="till-break" title={value}>
        {short === true ? value.slice(0, 8) : value}
      </code>
      <IconAction label={`Copy the ${name}`} icon="copy" onClick={copy} />
    </span>
  );
}
