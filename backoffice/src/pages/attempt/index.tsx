import { type ReactNode, useState } from 'react';

import { useAttempt } from '../../api/queries.ts';
import type { Attempt } from '../../api/types.ts';
import { BadId } from '../../app/bad-id.tsx';
import { ListLink, NamedCustomerLink } from '../../app/links.tsx';
import { isUuid, places } from '../../app/places.ts';
import { useRouteParam } from '../../app/route-params.ts';
import { useViewer } from '../../auth/session.ts';
import { AddressLines } from '../../ui/address.tsx';
import { Button, TextLink } from '../../ui/button.tsx';
import { Card, Facts, Figures, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { TimeLeft } from '../../ui/time-left.tsx';
import { type Happening, Quoted, Timeline } from '../../ui/timeline.tsx';
import { Id, Instant, Money, StatusBadge, Who } from '../../ui/values.tsx';
import { OrphanFlag } from '../attempts/orphan-flag.tsx';
import { CloseOrphanDialog } from './close-orphan-dialog.tsx';
import { ORPHAN_OUTCOMES } from './orphan-outcomes.ts';
import { type Outcome, ResolveDialog } from './resolve-dialog.tsx';

/** An attempt to buy, and what became of it. */
export function AttemptPage() {
  const attemptId = useRouteParam('attemptId').toLowerCase();
  if (!isUuid(attemptId)) return <BadId of="attempt" above={<ListLink to={places.attempts()}>Attempts</ListLink>} />;
  return <KnownById key={attemptId} attemptId={attemptId} />;
}

function KnownById({ attemptId }: { readonly attemptId: string }) {
  const attempt = useAttempt(attemptId);
  const viewer = useViewer();
  const [resolving, setResolving] = useState<Outcome | null>(null);
  const [closing, setClosing] = useState(false);
  const canResolve = viewer.isSupport && attempt.data?.state === 'UNKNOWN';
  const canClose = viewer.isSupport && attempt.data?.orphan?.status === 'OPEN';
  return (
    <Page
      title={attempt.data?.product.name ?? 'Attempt'}
      above={<ListLink to={places.attempts()}>Attempts</ListLink>}
      lead={<Id value={attemptId} name="attempt id" />}
      badge={
        attempt.data && (
          <>
            <StatusBadge status={attempt.data.state} />
            {attempt.data.orphan !== null && <OrphanFlag orphan={attempt.data.orphan} />}
          </>
        )
      }
      actions={
        canResolve ? (
          <>
            <Button label="Void" kind="secondary" onClick={() => setResolving('not_shipped')} />
            <Button label="Confirm shipment" onClick={() => setResolving('shipped')} />
          </>
        ) : (
          canClose && <Button label="Close orphan shipment" onClick={() => setClosing(true)} />
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
            {found.orphan !== null && <CloseOrphanDialog open={closing} onClose={() => setClosing(false)} attempt={found} />}
          </>
        )}
      </Answer>
    </Page>
  );
}

/** What a rep has to know before anything else. */
function AttemptNotice({ attempt }: { readonly attempt: Attempt }) {
  const { carrier, orphan, product, quantity, state } = attempt;
  if (orphan?.status === 'OPEN') {
    return orphan.shipment_id === null ? (
      <Notice tone="danger" title="A parcel may have been sent that was not paid for.">
        The attempt was voided and the hold released. Ask the carrier for a shipment of {quantity} × {product.sku} to the address below, ordered{' '}
        <Instant at={attempt.created_at} /> or shortly after. Then close the orphan shipment with what you found out.
      </Notice>
    ) : (
      <Notice tone="danger" title="A parcel was sent that was not paid for.">
        The carrier answered with shipment <code className="till-break">{orphan.shipment_id}</code> after the attempt was voided. Have the parcel
        called back, or agree with the customer what to do. Then close the orphan shipment.
      </Notice>
    );
  }
  if (state === 'UNKNOWN' && (carrier?.outcome === 'shipped' || carrier?.outcome === 'not_shipped')) {
    return (
      <Notice tone="warning" title="The carrier has answered.">
        The attempt is settled by that answer within minutes. You do not have to resolve it.
      </Notice>
    );
  }
  if (state === 'UNKNOWN') {
    return (
      <Notice tone="warning" title="It is not known whether this was shipped.">
        {carrier?.message != null && <>The carrier said: “{carrier.message}” </>}
        Ask it for a shipment of {quantity} × {product.sku} to the address below. Confirm it with its shipment id, or void it. At the
        deadline it is voided in the customer’s favour.
      </Notice>
    );
  }
  if (state === 'PENDING') {
    return (
      <Notice tone="warning" title="This is in progress.">
        Its outcome may still become known. If not, it becomes unknown within minutes, and can then be resolved here.
      </Notice>
    );
  }
  return null;
}

interface NoticeProps {
  readonly tone: 'danger' | 'warning';
  readonly title: string;
  readonly children: ReactNode;
}

function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div className={`till-notice till-notice-${tone}`}>
      <span>
        <strong>{title}</strong> {children}
      </span>
    </div>
  );
}

function AttemptDetails({ attempt }: { readonly attempt: Attempt }) {
  const { currency } = attempt;
  const shipmentId = attempt.shipment_id ?? attempt.orphan?.shipment_id ?? null;
  const isOpen = attempt.state === 'UNKNOWN' || attempt.state === 'PENDING';
  const end = attempt.state === 'UNKNOWN' ? attempt.deadline_at : attempt.state === 'PENDING' ? attempt.expires_at : null;
  return (
    <div className="till-columns">
      <div className="till-stack">
        <Card>
          <Figures
            figures={[
              {
                label: isOpen ? 'Held' : attempt.state === 'COMPLETED' ? 'Charged' : 'Released',
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
              ...(shipmentId === null ? [] : [{ label: 'Shipment id', value: <Id value={shipmentId} name="shipment id" /> }]),
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
  const { carrier, orphan, resolution, currency } = attempt;
  const story: Happening[] = [
    {
      id: 'begun',
      what: (
        <>
          Started; <Money minor={attempt.total} currency={currency} /> held
        </>
      ),
      at: attempt.created_at,
      by: <Who subject={attempt.created_by} name={attempt.created_by_name} />,
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
          <Money minor={attempt.total} currency={currency} /> {completed ? 'charged' : 'released'}
        </>
      ),
      at: attempt.settled_at,
      tone: completed ? 'good' : 'plain',
      ...(resolution === null
        ? {}
        : {
            by: <Who subject={resolution.actor} name={resolution.actor_name} />,
            children: <Quoted>{resolution.reason}</Quoted>,
          }),
    });
  } else if (attempt.state === 'UNKNOWN' && attempt.deadline_at !== null) {
    story.push({ id: 'deadline', what: 'Voided at the deadline, unless it is resolved before', at: attempt.deadline_at, tone: 'open' });
  }
  if (orphan !== null) {
    story.push({
      id: 'orphan',
      what: orphan.shipment_id === null ? 'Recorded as a possible orphan shipment' : 'Recorded as an orphan shipment',
      at: orphan.since,
      tone: 'bad',
    });
  }
  const closings = orphan === null ? [] : [...orphan.earlier_closings, ...(orphan.closing === null ? [] : [orphan.closing])];
  for (const { outcome, reason, closed_at, closed_by, closed_by_name } of closings) {
    story.push({
      id: `orphan-closed-${closed_at}`,
      what: `Orphan shipment closed: ${ORPHAN_OUTCOMES[outcome].done}`,
      at: closed_at,
      by: <Who subject={closed_by} name={closed_by_name} />,
      tone: 'good',
      children: <Quoted>{reason}</Quoted>,
    });
  }
  return story.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
