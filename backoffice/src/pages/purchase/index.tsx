import { useState } from 'react';

import { usePurchase } from '../../api/queries.ts';
import type { PurchaseDetail } from '../../api/types.ts';
import { BadId } from '../../app/bad-id.tsx';
import { ListLink, NamedCustomerLink } from '../../app/links.tsx';
import { isUuid, places } from '../../app/places.ts';
import { useRouteParam } from '../../app/route-params.ts';
import { useViewer } from '../../auth/session.ts';
import { discountText } from '../../format/discount.ts';
import { AddressLines } from '../../ui/address.tsx';
import { Button, TextLink } from '../../ui/button.tsx';
import { Card, Facts, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { type Happening, Quoted, Timeline } from '../../ui/timeline.tsx';
import { Id, Instant, Money, StatusBadge, Who } from '../../ui/values.tsx';
import { RefundDialog } from './refund-dialog.tsx';

/** A purchase as it was sold, and what was given back of it. */
export function PurchasePage() {
  const purchaseId = useRouteParam('purchaseId').toLowerCase();
  if (!isUuid(purchaseId)) return <BadId of="purchase" above={<ListLink to={places.purchases()}>Purchases</ListLink>} />;
  return <KnownById key={purchaseId} purchaseId={purchaseId} />;
}

function KnownById({ purchaseId }: { readonly purchaseId: string }) {
  const purchase = usePurchase(purchaseId);
  const viewer = useViewer();
  const [refunding, setRefunding] = useState(false);
  const canRefund = viewer.isSupport && purchase.data !== undefined && purchase.data.refundable > 0;
  return (
    <Page
      title={purchase.data?.product.name ?? 'Purchase'}
      above={<ListLink to={places.purchases()}>Purchases</ListLink>}
      lead={<Id value={purchaseId} name="purchase id" />}
      badge={purchase.data && <StatusBadge status={purchase.data.status} />}
      actions={canRefund && <Button label="Refund" onClick={() => setRefunding(true)} />}
    >
      <Answer
        query={purchase}
        loading="Loading the purchase"
        failed="The purchase could not be loaded"
        notFound={
          <Empty title="There is no purchase with this id.">
            Check the address. What was tried and not bought is under <TextLink to={places.attempts()}>Attempts</TextLink>.
          </Empty>
        }
      >
        {(found) => (
          <>
            <PurchaseDetails purchase={found} />
            <RefundDialog open={refunding} onClose={() => setRefunding(false)} purchase={found} />
          </>
        )}
      </Answer>
    </Page>
  );
}

function PurchaseDetails({ purchase }: { readonly purchase: PurchaseDetail }) {
  return (
    <div className="till-columns">
      <div className="till-stack">
        <Card title="As it was sold">
          <div className="till-product">
            <span className="till-product-name">{purchase.product.name}</span>
            <span>{purchase.product.description}</span>
            <span className="till-small till-muted">
              SKU <code>{purchase.product.sku}</code>
            </span>
          </div>
          <Sum purchase={purchase} />
        </Card>
        <Card title="Timeline">
          <Timeline label="Timeline of the purchase" happenings={storyOf(purchase)} />
        </Card>
      </div>
      <div className="till-stack">
        <Card title="Buyer">
          <Facts
            facts={[
              { label: 'Customer', value: <NamedCustomerLink customerId={purchase.customer_id} /> },
              { label: 'Bought', value: <Instant at={purchase.created_at} /> },
              { label: 'Bought by', value: <Who subject={purchase.created_by} name={purchase.created_by_name} /> },
            ]}
          />
        </Card>
        <Card title="Shipment">
          <Facts
            facts={[
              { label: 'Sent to', value: <AddressLines address={purchase.shipping_address} /> },
              { label: 'Shipment id', value: <Id value={purchase.shipment_id} name="shipment id" /> },
            ]}
          />
        </Card>
      </div>
    </div>
  );
}

/** What it cost, as a calculation, and what is left of it. */
function Sum({ purchase }: { readonly purchase: PurchaseDetail }) {
  const { currency } = purchase;
  return (
    <table className="till-sum">
      <caption className="till-hidden">What the purchase cost</caption>
      <tbody>
        <tr>
          <th scope="row">
            {purchase.quantity} × <Money minor={purchase.product.unit_price} currency={currency} />
            {' '}
            <span className="till-muted">unit price</span>
          </th>
          <td>
            <Money minor={purchase.subtotal} currency={currency} />
          </td>
        </tr>
        {purchase.promo_code !== null && (
          <tr>
            <th scope="row">
              Discount, promo code <TextLink to={places.promoCode(purchase.promo_code)}>{purchase.promo_code}</TextLink>
              {purchase.promo_discount !== null && (
                <>
                  {' '}
                  <span className="till-muted">({discountText(purchase.promo_discount, currency)} at the time)</span>
                </>
              )}
            </th>
            <td>
              <Money minor={-purchase.discount} currency={currency} />
            </td>
          </tr>
        )}
        <tr className="till-sum-total">
          <th scope="row">Total</th>
          <td>
            <Money minor={purchase.total} currency={currency} />
          </td>
        </tr>
        <tr>
          <th scope="row">
            Refunded
            {purchase.refunded_quantity > 0 && (
              <span className="till-muted">
                , {purchase.refunded_quantity} of {purchase.quantity} as units
              </span>
            )}
          </th>
          <td>
            <Money minor={purchase.refunded} currency={currency} />
          </td>
        </tr>
        <tr>
          <th scope="row">Refundable</th>
          <td>
            <Money minor={purchase.refundable} currency={currency} />
          </td>
        </tr>
      </tbody>
    </table>
  );
}

/** Sold, and each refund. */
function storyOf(purchase: PurchaseDetail): readonly Happening[] {
  const { currency } = purchase;
  return [
    {
      id: purchase.id,
      what: (
        <>
          Sold for <Money minor={purchase.total} currency={currency} />
        </>
      ),
      at: purchase.created_at,
      by: <Who subject={purchase.created_by} name={purchase.created_by_name} />,
      tone: 'good',
    },
    ...purchase.refunds.map(
      (refund): Happening => ({
        id: refund.id,
        what: (
          <>
            <Money minor={refund.amount} currency={refund.currency} /> refunded
            {refund.quantity !== null && ` for ${refund.quantity} ${refund.quantity === 1 ? 'unit' : 'units'}`}
          </>
        ),
        at: refund.created_at,
        by: <Who subject={refund.created_by} name={refund.created_by_name} />,
        children: (
          <>
            <Quoted>{refund.reason}</Quoted>
            <span className="till-small till-muted">
              Balance after it <Money minor={refund.balance_after} currency={refund.currency} />;{' '}
              <Money minor={refund.refundable} currency={refund.currency} /> of the purchase remained refundable.
            </span>
          </>
        ),
      }),
    ),
  ];
}
