import { lazy, Suspense, useState } from 'react';

import { useEntries } from '../../api/queries.ts';
import type { Entry } from '../../api/types.ts';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { Card } from '../../ui/page.tsx';
import { Answer, Empty, Loading } from '../../ui/states.tsx';
import { Instant, Money, StatusBadge } from '../../ui/values.tsx';
import { extremes } from './balance-history.ts';

// Recharts is as large as everything else together: it comes when a chart is shown.
const BalanceChart = lazy(async () => ({ default: (await import('./balance-chart.tsx')).BalanceChart }));

const COLUMNS: readonly Column<Entry>[] = [
  { id: 'when', header: 'From', isRowHeader: true, nowrap: true, cell: ({ created_at }) => <Instant at={created_at} /> },
  { id: 'kind', header: 'After', cell: ({ kind }) => <StatusBadge status={kind} /> },
  {
    id: 'balance',
    header: 'Balance',
    align: 'end',
    nowrap: true,
    cell: ({ balance_after, currency }) => <Money minor={balance_after} currency={currency} />,
  },
];

/** The balance over time: as a chart, in a sentence, and as a table. */
export function BalanceOverTime({ customerId }: { readonly customerId: string }) {
  const latest = useEntries(customerId);
  const [asTable, setAsTable] = useState(false);
  const isEmpty = latest.data === undefined || latest.data.items.length === 0;
  return (
    <Card
      title="Balance over time"
      actions={!isEmpty && <Button label={asTable ? 'Show as a chart' : 'Show as a table'} kind="empty" onClick={() => setAsTable(!asTable)} />}
    >
      <Answer
        query={latest}
        loading="Loading the history of the balance"
        failed="The history of the balance could not be loaded"
        notFound={<NothingYet />}
      >
        {({ items, next_cursor }) => <Shown entries={items.toReversed()} isCut={next_cursor !== null} asTable={asTable} />}
      </Answer>
    </Card>
  );
}

function NothingYet() {
  return <Empty title="No history yet">The line begins with the first credit that is granted.</Empty>;
}

interface ShownProps {
  /** The oldest first. */
  readonly entries: readonly Entry[];
  /** There are older ones. A chart of more would show nothing more; the export has all of them. */
  readonly isCut: boolean;
  readonly asTable: boolean;
}

function Shown({ entries, isCut, asTable }: ShownProps) {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return <NothingYet />;
  const { lowest, highest } = extremes(entries);
  const { currency } = last;
  return (
    <figure className="till-chart-figure">
      <figcaption className={asTable ? 'till-small till-muted' : 'till-hidden'}>
        {entries.length === 1 ? (
          <>
            One movement, <Instant at={first.created_at} dateOnly />: the balance has been <Money minor={last.balance_after} currency={currency} /> since.
          </>
        ) : (
          <>
            {isCut ? `The latest ${entries.length} movements` : `${entries.length} movements`} since <Instant at={first.created_at} dateOnly />:
            lowest <Money minor={lowest} currency={currency} />, highest <Money minor={highest} currency={currency} />, now{' '}
            <Money minor={last.balance_after} currency={currency} />.
          </>
        )}
      </figcaption>
      {asTable ? (
        <div className="till-chart-table">
          <DataTable caption="Balance over time, the newest first" columns={COLUMNS} rows={[...entries].reverse()} rowKey={({ id }) => id} />
        </div>
      ) : (
        <Suspense fallback={<Loading label="Loading the chart" />}>
          <BalanceChart entries={entries} currency={currency} />
        </Suspense>
      )}
    </figure>
  );
}
