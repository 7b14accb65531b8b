import { useState } from 'react';

import { useAttempt } from '../../api/queries.ts';
import type { Attempt } from '../../api/types.ts';
import { ListLink, NamedCustomerLink } from '../../app/links.tsx';
import { places } from '../../app/places.ts';
import { useRouteParam } from '../../app/route-params.ts';
import { useViewer } from '../../auth/session.ts';
import { AddressLines } from '../../ui/address.tsx';
import { Button, TextLink } from '../../ui/button.tsx';
import { Flag } from '../../ui/flag.tsx';
import { Card, Facts, Figures, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { TimeLeft } from '../../ui/time-left.tsx';
import { type Happening, Quoted, Timeline } from '../../ui/timeline.tsx';
import { Id, Instant, Money, StatusBadge } from '../../ui/values.tsx';
import { type Outcome, ResolveDialog } from './resolve-dialog.tsx';

/** An attempt to buy, and what became of it. */
export function AttemptPage() {
  const attemptId = useRouteParam('attemptId');
  const attempt = useAttempt(attemptId);
  const viewer = useViewer();
  const [resolving, setResolving] = useState<Outcome | null>(null);
  const canResolve = viewer.isSupport && attempt.data?.state === 'UNKNOWN';
  return (
    <Page
      title={attempt.data?.product.name ?? 'Attempt'}
      above={<ListLink to={places.attempts()}>Attempts</ListLink>}
      lead={<Id value={attemptId} name="attempt id" />}
      beside={
        attempt.data && (
          <>
            <StatusBadge status={attempt.data.state} />
            {attempt.data.possible_orphan && <Flag text="Possible orphan" tone="danger" />}
          </>
        )
      }
      actions={
        canResolve && (
          <>
            <Button label="Void" kind="secondary" onClick={() => setResolving('not_shipped')} />
            <Button label="Confirm shipment" onClick={() => setResolving('shipped')} />
          </>
        )
      }
    >
      <Answer
        query={attempt}
        loading="Loading the attempt"
        failed="The attempt could not be loaded"
        notFound={<Empty title="There is no attempt with this id.">Check the address.</Empty>}
      >
        {(found) => (
          <>
            <AttemptNotice attempt={found} />
            <AttemptDetails attempt={found} />
            {(['shipped', 'not_shipped'] as const).map((outcome) => (
              <ResolveDialog
                key={outcome}
                outcome={outcome}
                open={resolving === outcome}
                onClose={() => setResolving(null)}
                attempt={found}
              />
            ))}
          </>
        )}
      </Answer>
    </Page>
  );
}

/** What somebody has to know before anything else. */
function AttemptNotice({ attempt }: { readonly attempt: Attempt }) {
  if (attempt.possible_orphan) {
    return (
      <div className="till-notice till-notice-danger">
        <span>
          <strong>A parcel may exist that nobody paid for.</strong> The attempt was voided and its funds went back, and yet the carrier may have
          shipped it. Ask the carrier; if there is a parcel, stop it or agree with the customer what to do.
        </span>
      </div>
    );
  }
  if (attempt.state === 'UNKNOWN') {
    return (
      <div className="till-notice till-notice-warning">
        <span>
          <strong>Nobody knows whether this was shipped.</strong> Ask the carrier for a shipment of {attempt.quantity} × {attempt.product.sku} to
          the address below. Confirm it with its shipment id, or void it. At the deadline it is voided in the customer’s favour.
        </span>
      </div>
    );
  }
  if (attempt.state === 'PENDING') {
    return (
      <div className="till-notice till-notice-warning">
        <span>
          <strong>This is under way.</strong> Its outcome may still become known by itself. If not, it becomes unknown within minutes, and can
          then be resolved here.
        </span>
      </div>
    );
  }
  return null;
}

function AttemptDetails({ attempt }: { readonly attempt: Attempt }) {
  const { currency } = attempt;
  const isOpen = attempt.state === 'UNKNOWN' || attempt.state === 'PENDING';
  const end = attempt.state === 'UNKNOWN' ? attempt.deadline_at : attempt.state === 'PENDING' ? attempt.expires_at : null;
  return (
    <div className="till-columns">
      <div className="till-stack">
        <Card>
          <Figures
            figures={[
              {
                label: isOpen ? 'Held' : attempt.state === 'COMPLETED' ? 'Charged' : 'Given back',
                value: <Money minor={attempt.total} currency={currency} />,
                note: isOpen ? 'of the customer’s credit' : undefined,
              },
              ...(end === null
                ? []
                : [
                    {
                      label: attempt.state === 'UNKNOWN' ? 'Until it is voided' : 'Until it counts as unknown',
                      value: <TimeLeft until={end} over={attempt.state === 'UNKNOWN' ? 'Deadline passed' : 'Any moment now'} />,
                      note: <Instant at={end} />,
                    },
                  ]),
            ]}
          />
        </Card>
        <Card title="What happened">
          <Timeline label="What happened to the attempt" happenings={storyOf(attempt)} />
        </Card>
      </div>
      <div className="till-stack">
        <Card title="What was tried">
          <Facts
            facts={[
              { label: 'Customer', value: <NamedCustomerLink customerId={attempt.customer_id} /> },
              ...(attempt.purchase_id === null
                ? []
                : [{ label: 'Became', value: <TextLink to={places.purchase(attempt.purchase_id)}>This purchase</TextLink> }]),
              {
                label: 'Product',
                value: (
                  <>
                    {attempt.quantity} × {attempt.product.name}
                    <br />
                    <code>{attempt.product.sku}</code>
                  </>
                ),
              },
              {
                label: 'Total',
                value: (
                  <>
                    <Money minor={attempt.total} currency={currency} />
                    {attempt.discount > 0 && (
                      <span className="till-small till-muted">
                        <br />
                        <Money minor={attempt.subtotal} currency={currency} /> less <Money minor={attempt.discount} currency={currency} />
                      </span>
                    )}
                  </>
                ),
              },
              ...(attempt.promo_code === null
                ? []
                : [{ label: 'Promo code', value: <TextLink to={places.promoCode(attempt.promo_code)}>{attempt.promo_code}</TextLink> }]),
              { label: 'To be sent to', value: <AddressLines address={attempt.shipping_address} /> },
              ...(attempt.shipment_id === null
                ? []
                : [{ label: 'Shipment id', value: <Id value={attempt.shipment_id} name="shipment id" /> }]),
            ]}
          />
        </Card>
      </div>
    </div>
  );
}

const CARRIER_SAID = {
  shipped: 'The carrier said that it was shipped',
  not_shipped: 'The carrier said that nothing was shipped',
  unknown: 'The carrier did not say whether it was shipped',
} as const;

/** What happened to it, in the order in which it did. */
function storyOf(attempt: Attempt): readonly Happening[] {
  const { carrier, resolution, currency } = attempt;
  const story: Happening[] = [
    {
      id: 'begun',
      what: (
        <>
          Begun; <Money minor={attempt.total} currency={currency} /> held
        </>
      ),
      at: attempt.created_at,
      by: attempt.created_by,
    },
  ];
  if (carrier !== null) {
    story.push({
      id: 'carrier',
      what: CARRIER_SAID[carrier.outcome],
      at: carrier.answered_at ?? attempt.unknown_since ?? attempt.settled_at ?? attempt.created_at,
      tone: carrier.outcome === 'shipped' ? 'good' : carrier.outcome === 'not_shipped' ? 'plain' : 'bad',
      ...(carrier.message === null && carrier.shipment_id === null
        ? {}
        : {
            children: (
              <>
                {carrier.message !== null && <Quoted>{carrier.message}</Quoted>}
                {carrier.shipment_id !== null && (
                  <span className="till-small">
                    Shipment <code className="till-break">{carrier.shipment_id}</code>
                  </span>
                )}
              </>
            ),
          }),
    });
  }
  if (attempt.unknown_since !== null) {
    story.push({ id: 'unknown', what: 'Its outcome counts as unknown', at: attempt.unknown_since, tone: 'bad' });
  }
  if (attempt.settled_at !== null) {
    const completed = attempt.state === 'COMPLETED';
    story.push({
      id: 'settled',
      what: (
        <>
          {completed ? 'Completed; ' : 'Voided; '}
          <Money minor={attempt.total} currency={currency} /> {completed ? 'charged' : 'given back'}
        </>
      ),
      at: attempt.settled_at,
      tone: completed ? 'good' : 'plain',
      by: resolution?.actor,
      ...(resolution === null ? {} : { children: <Quoted>{resolution.reason}</Quoted> }),
    });
  } else if (attempt.state === 'UNKNOWN' && attempt.deadline_at !== null) {
    story.push({ id: 'deadline', what: 'Voided at the deadline, unless it is resolved before', at: attempt.deadline_at, tone: 'open' });
  }
  return story.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
