import { useApi } from '../../api/client.ts';
import { everyPage, read, useEntries } from '../../api/queries.ts';
import type { Entry } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { useCursor } from '../../app/url-state.ts';
import { amount, type CsvColumn, exportName, whole } from '../../format/csv.ts';
import { LARGEST_PAGE } from '../../limits.ts';
import { TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Instant, Money, StatusBadge, Who } from '../../ui/values.tsx';
import { StatementDownload } from './statement-dialog.tsx';

const LONG_REASON = 60;

const COLUMNS: readonly Column<Entry>[] = [
  { id: 'when', header: 'When', isRowHeader: true, nowrap: true, cell: ({ created_at }) => <Instant at={created_at} /> },
  { id: 'kind', header: 'What', cell: ({ kind }) => <StatusBadge status={kind} /> },
  { id: 'reason', header: 'Why', cell: (entry) => <Why entry={entry} /> },
  { id: 'actor', header: 'Who', cell: ({ actor, actor_name }) => <Who subject={actor} name={actor_name} /> },
  {
    id: 'amount',
    header: 'Amount',
    align: 'end',
    nowrap: true,
    cell: ({ amount: minor, currency }) => <Money minor={minor} currency={currency} signed />,
  },
  {
    id: 'after',
    header: 'Balance after',
    align: 'end',
    nowrap: true,
    cell: ({ balance_after, currency }) => <Money minor={balance_after} currency={currency} />,
  },
];

const CSV: readonly CsvColumn<Entry>[] = [
  { header: 'sequence', cell: ({ sequence }) => whole(sequence) },
  { header: 'entry_id', cell: ({ id }) => id },
  { header: 'created_at', cell: ({ created_at }) => created_at },
  { header: 'kind', cell: ({ kind }) => kind },
  { header: 'amount', cell: (entry) => amount(entry.amount, entry.currency) },
  { header: 'balance_after', cell: ({ balance_after, currency }) => amount(balance_after, currency) },
  { header: 'currency', cell: ({ currency }) => currency },
  { header: 'reason', cell: ({ reason }) => reason },
  { header: 'actor', cell: ({ actor }) => actor },
  { header: 'actor_name', cell: ({ actor_name }) => actor_name },
  { header: 'purchase_id', cell: ({ purchase_id }) => purchase_id },
  { header: 'refund_id', cell: ({ refund_id }) => refund_id },
  { header: 'idempotency_key', cell: ({ idempotency_key }) => idempotency_key },
  { header: 'previous_hash', cell: ({ previous_hash }) => previous_hash },
  { header: 'hash', cell: ({ hash }) => hash },
];

function Why({ entry }: { readonly entry: Entry }) {
  return (
    <div className="till-why">
      {/* A long one is cut to two lines, and whole while it has the focus. */}
      <span
        className="till-break till-two-lines"
        title={entry.reason}
        {...(entry.reason.length > LONG_REASON ? { tabIndex: 0 } : {})}
      >
        {entry.reason}
      </span>
      {entry.purchase_id !== null && (
        <TextLink to={places.purchase(entry.purchase_id)} className="till-small">
          Purchase <code>{entry.purchase_id.slice(0, 8)}</code>
        </TextLink>
      )}
    </div>
  );
}

/** The ledger of a customer, newest first. */
export function LedgerSection({ customerId }: { readonly customerId: string }) {
  const { cursor, pages } = useCursor('cursor', { inPlace: true });
  const entries = useEntries(customerId, cursor);
  return (
    <>
      <Answer
        query={entries}
        loading="Loading the ledger"
        failed="The ledger could not be loaded"
        notFound={<Empty title="There is no ledger." />}
      >
        {({ items, next_cursor }) =>
          items.length === 0 && next_cursor !== null ? (
            <Empty title="None on this page">Older ones may be on the next page.</Empty>
          ) : items.length === 0 ? (
            <Empty title="No movements yet">The ledger begins with the first credit that is granted.</Empty>
          ) : (
            <DataTable caption="Ledger" columns={COLUMNS} rows={items} rowKey={({ id }) => id} stale={entries.isPlaceholderData} />
          )
        }
      </Answer>
      <div className="till-section-pager">
        <Pager of="the ledger" {...pages(entries)} />
      </div>
    </>
  );
}

/** Exports the ledger of a customer: signed, so that it can be checked without Till, and for a spreadsheet. */
export function LedgerExport({ customerId }: { readonly customerId: string }) {
  const api = useApi();
  return (
    <>
      <StatementDownload customerId={customerId} />
      <ExportButton
        label="Export the ledger"
        filename={exportName('ledger', customerId)}
        columns={CSV}
        pages={(signal) => everyPage((cursor) => read.entries(api, customerId, { limit: LARGEST_PAGE, cursor }, signal), signal)}
      />
    </>
  );
}
