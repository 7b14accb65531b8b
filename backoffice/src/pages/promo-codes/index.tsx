import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useApi } from '../../api/client.ts';
import { everyPage, PAGE_SIZE, read, usePromoCodes } from '../../api/queries.ts';
import type { PromoCode, PromoState } from '../../api/types.ts';
import { useRememberedList } from '../../app/links.tsx';
import { places } from '../../app/places.ts';
import { oneOf, useCursor, useFilters } from '../../app/url-state.ts';
import { useViewer } from '../../auth/session.ts';
import { exportName } from '../../format/csv.ts';
import { discountText } from '../../format/discount.ts';
import { formatMoney } from '../../format/money.ts';
import { dayOf } from '../../format/moment.ts';
import { LARGEST_PAGE } from '../../limits.ts';
import { Button, TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { Card, Page, Toolbar } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Segments } from '../../ui/segments.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { useToast } from '../../ui/toast.tsx';
import { statusText } from '../../ui/values.tsx';
import { CreateDialog } from './create-dialog.tsx';
import { PROMO_CODE_CSV } from './csv.ts';
import { PromoStatus } from './promo-status.tsx';
import { Redemptions } from './redemptions.tsx';
import { Validity } from './validity.tsx';

const STATES: readonly PromoState[] = ['ACTIVE', 'DEACTIVATED'];

/** The one currency of the books. The API names it with every amount; a form for the first code has none to go by. */
const CURRENCY = 'USD';

const COLUMNS: readonly Column<PromoCode>[] = [
  {
    id: 'code',
    header: 'Code',
    isRowHeader: true,
    nowrap: true,
    cell: (promo) => <TextLink to={places.promoCode(promo.code)}>{promo.code}</TextLink>,
  },
  { id: 'state', header: 'State', nowrap: true, cell: (promo) => <PromoStatus promo={promo} /> },
  {
    id: 'discount',
    header: 'Discount',
    nowrap: true,
    cell: (promo) => (
      <span className="till-cell-lines">
        {discountText(promo.discount, promo.currency)}
        <span className="till-small till-muted">{restrictionsOf(promo)}</span>
      </span>
    ),
  },
  { id: 'redemptions', header: 'Redemptions', cell: (promo) => <Redemptions promo={promo} /> },
  { id: 'validity', header: 'Validity', nowrap: true, cell: (promo) => <Validity promo={promo} /> },
];

/** The restrictions that have no column, in a line. */
function restrictionsOf(promo: PromoCode): string {
  const several = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;
  const parts = [
    promo.minimum_subtotal === null ? '' : `from ${formatMoney(promo.minimum_subtotal, promo.currency)}`,
    promo.first_purchase_only ? 'first purchase' : '',
    promo.product_ids === null ? '' : several(promo.product_ids.length, 'product'),
    promo.customer_ids === null ? '' : several(promo.customer_ids.length, 'customer'),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'Every purchase' : `Only ${parts.join(', ')}`;
}

/** All promo codes; an admin makes new ones here. */
export function PromoCodesPage() {
  const api = useApi();
  const navigate = useNavigate();
  const { isAdmin } = useViewer();
  const { announce } = useToast();
  useRememberedList();
  const [creating, setCreating] = useState(false);
  const [{ state: asked }, setFilters] = useFilters(['state']);
  const state = oneOf(STATES, asked);
  const { cursor, pages } = useCursor();
  const promoCodes = usePromoCodes({ limit: PAGE_SIZE, state, cursor });
  return (
    <Page
      title="Promo codes"
      lead={isAdmin ? 'Discounts for customers, newest first.' : 'Discounts for customers. Administrators create and change them.'}
      actions={
        <>
          <ExportButton
            filename={exportName('promo-codes', state, dayOf(new Date()))}
            columns={PROMO_CODE_CSV}
            pages={(signal) => everyPage((next) => read.promoCodes(api, { limit: LARGEST_PAGE, state, cursor: next }, signal), signal)}
          />
          {isAdmin && <Button label="New promo code" onClick={() => setCreating(true)} />}
        </>
      }
    >
      <Toolbar label="Promo codes">
        <Segments
          label="State"
          value={state ?? 'ALL'}
          options={[{ value: 'ALL', label: 'All' }, ...STATES.map((one) => ({ value: one, label: statusText(one) }))]}
          onChange={(next) => setFilters({ state: next === 'ALL' ? '' : next })}
        />
      </Toolbar>
      <Card flush>
        <Answer query={promoCodes} loading="Loading promo codes" failed="The promo codes could not be loaded">
          {(page) =>
            page.items.length === 0 ? (
              state === undefined ? (
                <Empty title="No promo codes yet">{isAdmin ? 'Create the first one.' : 'An administrator can create one.'}</Empty>
              ) : (
                <Empty title={`No promo code is ${statusText(state).toLowerCase()}`} />
              )
            ) : (
              <DataTable
                caption="Promo codes"
                columns={COLUMNS}
                rows={page.items}
                rowKey={(promo) => promo.code}
                stale={promoCodes.isPlaceholderData}
                rowPlace={(promo) => places.promoCode(promo.code)}
              />
            )
          }
        </Answer>
      </Card>
      <Pager of="promo codes" {...pages(promoCodes)} />
      {isAdmin && (
        <CreateDialog
          open={creating}
          onClose={() => setCreating(false)}
          currency={promoCodes.data?.items[0]?.currency ?? CURRENCY}
          onCreated={(promo) => {
            setCreating(false);
            announce(`${promo.code} is created.`);
            void navigate(places.promoCode(promo.code));
          }}
        />
      )}
    </Page>
  );
}
