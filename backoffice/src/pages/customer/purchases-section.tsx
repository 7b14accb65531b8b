import { useApi } from '../../api/client.ts';
import { everyPage, read, useCustomerPurchases } from '../../api/queries.ts';
import type { Purchase } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { useCursor } from '../../app/url-state.ts';
import { amount, type CsvColumn, exportName, whole } from '../../format/csv.ts';
import { LARGEST_PAGE } from '../../limits.ts';
import { TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Instant, Money, None, StatusBadge } from '../../ui/values.tsx';

const COLUMNS: readonly Column<Purchase>[] = [
  { id: 'when', header: 'When', nowrap: true, cell: ({ created_at }) => <Instant at={created_at} /> },
  {
    id: 'product',
    header: 'Product',
    isRowHeader: true,
    cell: ({ id, product }) => <TextLink to={places.purchase(id)}>{product.name}</TextLink>,
  },
  { id: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { id: 'quantity', header: 'Quantity', align: 'end', nowrap: true, cell: ({ quantity }) => quantity },
  { id: 'total', header: 'Total', align: 'end', nowrap: true, cell: ({ total, currency }) => <Money minor={total} currency={currency} /> },
  {
    id: 'refunded',
    header: 'Refunded',
    align: 'end',
    nowrap: true,
    cell: ({ refunded, currency }) =>
      refunded === 0 ? <None /> : <Money minor={refunded} currency={currency} />,
  },
];

const CSV: readonly CsvColumn<Purchase>[] = [
  { header: 'purchase_id', cell: ({ id }) => id },
  { header: 'created_at', cell: ({ created_at }) => created_at },
  { header: 'product', cell: ({ product }) => product.name },
  { header: 'sku', cell: ({ product }) => product.sku },
  { header: 'quantity', cell: ({ quantity }) => whole(quantity) },
  { header: 'subtotal', cell: ({ subtotal, currency }) => amount(subtotal, currency) },
  { header: 'discount', cell: ({ discount, currency }) => amount(discount, currency) },
  { header: 'total', cell: ({ total, currency }) => amount(total, currency) },
  { header: 'refunded', cell: ({ refunded, currency }) => amount(refunded, currency) },
  { header: 'currency', cell: ({ currency }) => currency },
  { header: 'status', cell: ({ status }) => status },
  { header: 'promo_code', cell: ({ promo_code }) => promo_code },
  { header: 'shipment_id', cell: ({ shipment_id }) => shipment_id },
  { header: 'created_by', cell: ({ created_by }) => created_by },
  { header: 'created_by_name', cell: ({ created_by_name }) => created_by_name },
];

/** The purchases of a customer, newest first. */
export function PurchasesSection({ customerId }: { readonly customerId: string }) {
  const { cursor, pages } = useCursor('cursor', { inPlace: true });
  const purchases = useCustomerPurchases(customerId, { cursor });
  return (
    <>
      <Answer
        query={purchases}
        loading="Loading the purchases"
        failed="The purchases could not be loaded"
        notFound={<Empty title="There are no purchases." />}
      >
        {({ items, next_cursor }) =>
          items.length === 0 && next_cursor !== null ? (
            <Empty title="None on this page">Older ones may be on the next page.</Empty>
          ) : items.length === 0 ? (
            <Empty title="No purchases yet">What this customer buys is listed here.</Empty>
          ) : (
            <DataTable
              caption="Purchases"
              columns={COLUMNS}
              rows={items}
              rowKey={({ id }) => id}
              stale={purchases.isPlaceholderData}
              rowPlace={({ id }) => places.purchase(id)}
            />
          )
        }
      </Answer>
      <div className="till-section-pager">
        <Pager of="the purchases" {...pages(purchases)} />
      </div>
    </>
  );
}

/** Exports all purchases of a customer. */
export function PurchasesExport({ customerId }: { readonly customerId: string }) {
  const api = useApi();
  return (
    <ExportButton
      label="Export the purchases"
      filename={exportName('purchases', customerId)}
      columns={CSV}
      pages={(signal) => everyPage((cursor) => read.customerPurchases(api, customerId, { limit: LARGEST_PAGE, cursor }, signal), signal)}
    />
  );
}
