import { type ReactNode, useState } from 'react';

import { usePromoCode } from '../../api/queries.ts';
import type { PromoCodeDetail } from '../../api/types.ts';
import { ListLink, NamedCustomerLink } from '../../app/links.tsx';
import { places } from '../../app/places.ts';
import { useRouteParam } from '../../app/route-params.ts';
import { useViewer } from '../../auth/session.ts';
import { discountText } from '../../format/discount.ts';
import { Button } from '../../ui/button.tsx';
import { Card, type Fact, Facts, Figures, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Instant, Money, Who } from '../../ui/values.tsx';
import { PromoStatus } from '../promo-codes/promo-status.tsx';
import { Redemptions } from '../promo-codes/redemptions.tsx';
import { DeactivateDialog } from './deactivate-dialog.tsx';
import { EditDialog } from './edit-dialog.tsx';
import { History } from './history.tsx';
import { ProductName } from './product-name.tsx';

/** A promo code: its terms, how often it was used, and every version it had. */
export function PromoCodePage() {
  const code = useRouteParam('code');
  return <KnownByCode key={code.toUpperCase()} code={code} />;
}

function KnownByCode({ code }: { readonly code: string }) {
  const promoCode = usePromoCode(code);
  const { isAdmin } = useViewer();
  const [open, setOpen] = useState<'edit' | 'deactivate' | null>(null);
  const canChange = isAdmin && promoCode.data?.state === 'ACTIVE';
  return (
    <Page
      title={promoCode.data?.code ?? code}
      above={<ListLink to={places.promoCodes()}>Promo codes</ListLink>}
      badge={promoCode.data && <PromoStatus promo={promoCode.data} />}
      lead={promoCode.data && discountText(promoCode.data.discount, promoCode.data.currency)}
      actions={
        canChange && (
          <>
            <Button label="Deactivate" kind="secondary" onClick={() => setOpen('deactivate')} />
            <Button label="Edit terms" onClick={() => setOpen('edit')} />
          </>
        )
      }
    >
      <Answer
        query={promoCode}
        loading="Loading the promo code"
        failed="The promo code could not be loaded"
        notFound={<Empty title="There is no such promo code.">Check the code.</Empty>}
      >
        {(found) => (
          <>
            <PromoDetails promo={found} />
            {isAdmin && (
              <>
                <EditDialog open={open === 'edit'} onClose={() => setOpen(null)} promo={found} />
                <DeactivateDialog open={open === 'deactivate'} onClose={() => setOpen(null)} promo={found} />
              </>
            )}
          </>
        )}
      </Answer>
    </Page>
  );
}

function PromoDetails({ promo }: { readonly promo: PromoCodeDetail }) {
  const facts: readonly Fact[] = [
    { label: 'Discount', value: discountText(promo.discount, promo.currency) },
    {
      label: 'Minimum subtotal',
      value: promo.minimum_subtotal === null ? 'Any' : <Money minor={promo.minimum_subtotal} currency={promo.currency} />,
    },
    { label: 'Valid from', value: promo.valid_from === null ? 'Immediately' : <Instant at={promo.valid_from} /> },
    { label: 'Valid until', value: promo.valid_until === null ? 'No end' : <Instant at={promo.valid_until} /> },
    { label: 'Total redemptions', value: promo.max_redemptions === null ? 'No limit' : `At most ${promo.max_redemptions}` },
    {
      label: 'Redemptions for each customer',
      value: promo.max_redemptions_per_customer === null ? 'No limit' : `At most ${promo.max_redemptions_per_customer}`,
    },
    { label: 'Purchases', value: promo.first_purchase_only ? 'A customer’s first only' : 'Any' },
    {
      label: 'Products',
      value: promo.product_ids === null ? 'All' : <Several ids={promo.product_ids} show={(id) => <ProductName productId={id} />} />,
    },
    {
      label: 'Customers',
      value: promo.customer_ids === null ? 'All' : <Several ids={promo.customer_ids} show={(id) => <NamedCustomerLink customerId={id} />} />,
    },
  ];
  return (
    <div className="till-columns">
      <div className="till-stack">
        <Card title="Terms">
          <Facts facts={facts} />
        </Card>
        <Card title="History">
          <History promo={promo} />
        </Card>
      </div>
      <div className="till-stack">
        <Card>
          <Figures
            figures={[
              {
                label: 'Redemptions',
                value: <Redemptions promo={promo} />,
                note: 'Purchases that use it, those under way included',
              },
            ]}
          />
        </Card>
        <Card title="About this code">
          <Facts
            facts={[
              { label: 'Created', value: <Instant at={promo.created_at} /> },
              { label: 'Created by', value: <Who subject={promo.created_by} name={promo.created_by_name} /> },
              { label: 'Last change', value: <Instant at={promo.updated_at} /> },
              { label: 'Changed by', value: <Who subject={promo.updated_by} name={promo.updated_by_name} /> },
              { label: 'Version', value: promo.version },
            ]}
          />
        </Card>
      </div>
    </div>
  );
}

/** Names are asked for one by one: of a long list, only the first. */
const MOST_NAMED = 10;

function Several({ ids, show }: { readonly ids: readonly string[]; readonly show: (id: string) => ReactNode }) {
  return (
    <ul className="till-difference">
      {ids.map((id, index) => (
        <li key={id}>{index < MOST_NAMED ? show(id) : <code className="till-break">{id}</code>}</li>
      ))}
    </ul>
  );
}
