import { useState } from 'react';

import { useApi } from '../../api/client.ts';
import { everyPage, PAGE_SIZE, type PurchaseFilters, read, usePurchases } from '../../api/queries.ts';
import type { NamedPurchase, PurchaseStatus } from '../../api/types.ts';
import { CustomerLink, useRememberedList } from '../../app/links.tsx';
import { places } from '../../app/places.ts';
import { oneOf, useCursor, useFilters } from '../../app/url-state.ts';
import { exportName } from '../../format/csv.ts';
import { formatMoney } from '../../format/money.ts';
import { asFromMoment, asUntilMoment, dayOf, fromMoment, instantIn, SPAN_FROM, SPAN_UNTIL, untilMoment } from '../../format/moment.ts';
import { shipmentIdError } from '../../format/shipment-id.ts';
import { LARGEST_PAGE, LONGEST_SHIPMENT_ID } from '../../limits.ts';
import { Button, TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { SelectInput } from '../../ui/fields.tsx';
import { MomentFilter } from '../../ui/moment-input.tsx';
import { Card, Page, Toolbar } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Instant, Money, None, StatusBadge, statusText } from '../../ui/values.tsx';
import { PURCHASE_CSV } from './csv.ts';

const STATUSES: readonly PurchaseStatus[] = ['COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED'];

const COLUMNS: readonly Column<NamedPurchase>[] = [
  {
    id: 'product',
    header: 'Product',
    isRowHeader: true,
    cell: (purchase) => (
      <span className="till-cell-lines">
        <TextLink to={places.purchase(purchase.id)}>{purchase.product.name}</TextLink>
        <span className="till-small till-muted">
          {purchase.quantity} × {formatMoney(purchase.product.unit_price, purchase.currency)}
        </span>
      </span>
    ),
  },
  {
    id: 'customer',
    header: 'Customer',
    cell: (purchase) => <CustomerLink customerId={purchase.customer_id} name={purchase.customer_name} />,
  },
  { id: 'created', header: 'Bought', nowrap: true, cell: (purchase) => <Instant at={purchase.created_at} /> },
  { id: 'status', header: 'Status', nowrap: true, cell: (purchase) => <StatusBadge status={purchase.status} /> },
  {
    id: 'promo',
    header: 'Promo code',
    nowrap: true,
    cell: (purchase) =>
      purchase.promo_code === null ? (
        <None />
      ) : (
        <TextLink to={places.promoCode(purchase.promo_code)}>{purchase.promo_code}</TextLink>
      ),
  },
  {
    id: 'refunded',
    header: 'Refunded',
    align: 'end',
    nowrap: true,
    cell: (purchase) =>
      purchase.refunded === 0 ? (
        <None />
      ) : (
        <Money minor={purchase.refunded} currency={purchase.currency} />
      ),
  },
  {
    id: 'total',
    header: 'Total',
    align: 'end',
    nowrap: true,
    cell: (purchase) => <Money minor={purchase.total} currency={purchase.currency} />,
  },
];

/** The purchases of all customers, by time and status, or the one of a shipment. */
export function PurchasesPage() {
  const api = useApi();
  useRememberedList();
  const [{ status, from, to, shipment_id: asked }, setFilters] = useFilters(['status', 'from', 'to', 'shipment_id']);
  const { cursor, pages } = useCursor();
  const shipmentId = shipmentIdError(asked) === undefined ? asked : undefined;
  const filters: PurchaseFilters =
    // A shipment has one purchase, whatever its status and time are.
    shipmentId === undefined
      ? { status: oneOf(STATUSES, status), createdFrom: instantIn(from, SPAN_FROM), createdTo: instantIn(to, SPAN_UNTIL) }
      : { shipmentId };
  const purchases = usePurchases({ limit: PAGE_SIZE, ...filters, cursor });
  const filtered = Object.values(filters).some((value) => value !== undefined);
  const isBackwards = filters.createdFrom !== undefined && filters.createdTo !== undefined && filters.createdFrom >= filters.createdTo;
  const today = dayOf(new Date());
  const filter = (changes: { readonly status?: string; readonly from?: string; readonly to?: string }) =>
    setFilters({ ...changes, shipment_id: '' });
  const ofShipment = (id: string) => setFilters({ status: '', from: '', to: '', shipment_id: id });
  // How often a button replaced what may have been typed in the fields.
  const [chosen, setChosen] = useState(0);
  const clear = () => {
    setChosen(chosen + 1);
    ofShipment('');
  };
  const lastDays = (daysAgo: number) => {
    setChosen(chosen + 1);
    filter({ from: fromMoment(dayOf(new Date(), daysAgo)) ?? '', to: untilMoment(today) ?? '' });
  };
  return (
    <Page
      title="Purchases"
      lead="Purchases of all customers, newest first."
      actions={
        <ExportButton
          filename={exportName(
            'purchases',
            filters.status,
            filters.createdFrom === undefined ? '' : `from ${asFromMoment(filters.createdFrom)}`,
            filters.createdTo === undefined ? '' : `to ${asUntilMoment(filters.createdTo)}`,
            `on ${today}`,
          )}
          columns={PURCHASE_CSV}
          pages={(signal) => everyPage((next) => read.purchases(api, { limit: LARGEST_PAGE, ...filters, cursor: next }, signal), signal)}
        />
      }
    >
      <Toolbar label="Purchases">
        <SelectInput
          label="Status"
          none="Any status"
          value={filters.status ?? ''}
          options={STATUSES.map((one) => ({ value: one, label: statusText(one) }))}
          onChange={(next) => filter({ status: next })}
        />
        <MomentFilter
          key={`from ${chosen}`}
          label="From"
          end={SPAN_FROM}
          value={shipmentId === undefined ? from : ''}
          onChange={(next) => filter({ from: next })}
        />
        <MomentFilter
          key={`to ${chosen}`}
          label="To"
          end={SPAN_UNTIL}
          value={shipmentId === undefined ? to : ''}
          onChange={(next) => filter({ to: next })}
          error={isBackwards ? 'The end has to come after the beginning.' : undefined}
        />
        <SearchField
          label="Shipment id"
          maxLength={LONGEST_SHIPMENT_ID}
          asked={shipmentId ?? ''}
          onAsk={ofShipment}
          errorOf={shipmentIdError}
        />
        <div className="till-actions">
          <Button label="Today" kind="secondary" onClick={() => lastDays(0)} />
          <Button label="Last 7 days" kind="secondary" onClick={() => lastDays(6)} />
          {filtered && <Button label="Clear filters" kind="empty" onClick={clear} />}
        </div>
      </Toolbar>
      <Card flush>
        <Answer query={purchases} loading="Loading purchases" failed="The purchases could not be loaded">
          {(page) =>
            page.items.length === 0 ? (
              shipmentId !== undefined ? (
                <Empty
                  title="No purchase has this shipment id"
                  action={<Button label="Show all purchases" kind="secondary" onClick={clear} />}
                >
                  Check the id with the carrier. A parcel without a purchase may be one of the{' '}
                  <TextLink to={places.openOrphans()}>open orphan shipments</TextLink>.
                </Empty>
              ) : filtered ? (
                <Empty title="No purchases match" action={<Button label="Show all purchases" kind="secondary" onClick={clear} />}>
                  Nothing was bought in this time with this status.
                </Empty>
              ) : (
                <Empty title="No purchases yet">What customers buy will be listed here.</Empty>
              )
            ) : (
              <DataTable
                caption="Purchases"
                columns={COLUMNS}
                rows={page.items}
                rowKey={(purchase) => purchase.id}
                stale={purchases.isPlaceholderData}
                rowPlace={(purchase) => places.purchase(purchase.id)}
              />
            )
          }
        </Answer>
      </Card>
      <Pager of="purchases" {...pages(purchases)} />
    </Page>
  );
}
