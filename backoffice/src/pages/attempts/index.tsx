import { useApi } from '../../api/client.ts';
import { type AttemptFilters, countOf, everyPage, PAGE_SIZE, read, UNKNOWN_ATTEMPTS, useAttempts, useUnknownCount } from '../../api/queries.ts';
import type { AttemptState, NamedAttempt } from '../../api/types.ts';
import { CustomerLink, useRememberedList } from '../../app/links.tsx';
import { places } from '../../app/places.ts';
import { oneOf, useCursor, useFilters } from '../../app/url-state.ts';
import { exportName } from '../../format/csv.ts';
import { dayOf } from '../../format/moment.ts';
import { LARGEST_PAGE } from '../../limits.ts';
import { TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { Card, Page, Toolbar } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Segments } from '../../ui/segments.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { TimeLeft } from '../../ui/time-left.tsx';
import { Instant, Money, None, statusText } from '../../ui/values.tsx';
import { ATTEMPT_CSV } from './csv.ts';
import { OrphanFlag } from './orphan-flag.tsx';

const WHAT: Column<NamedAttempt> = {
  id: 'product',
  header: 'What was tried',
  isRowHeader: true,
  cell: (attempt) => (
    <span className="till-cell-lines">
      <TextLink to={places.attempt(attempt.id)}>{attempt.product.name}</TextLink>
      <span className="till-small till-muted">
        {attempt.quantity} × <code>{attempt.product.sku}</code>
      </span>
    </span>
  ),
};

const CUSTOMER: Column<NamedAttempt> = {
  id: 'customer',
  header: 'Customer',
  cell: (attempt) => <CustomerLink customerId={attempt.customer_id} name={attempt.customer_name} />,
};

const PARCEL: Column<NamedAttempt> = {
  id: 'parcel',
  header: 'Parcel',
  nowrap: true,
  cell: ({ orphan }) => (orphan === null ? <None /> : <OrphanFlag orphan={orphan} />),
};

const CARRIERS_ID: Column<NamedAttempt> = {
  id: 'shipment',
  header: 'Carrier’s shipment id',
  cell: ({ orphan }) =>
    orphan?.shipment_id == null ? (
      <span className="till-muted">Not known</span>
    ) : (
      <code className="till-break">{orphan.shipment_id}</code>
    ),
};

const time = (id: string, header: string, at: (attempt: NamedAttempt) => string | null): Column<NamedAttempt> => ({
  id,
  header,
  nowrap: true,
  cell: (attempt) => {
    const instant = at(attempt);
    return instant === null ? <span className="till-muted">Not known</span> : <Instant at={instant} />;
  },
});

const money = (id: string, header: string): Column<NamedAttempt> => ({
  id,
  header,
  align: 'end',
  nowrap: true,
  cell: (attempt) => <Money minor={attempt.total} currency={attempt.currency} />,
});

const left = (header: string, until: (attempt: NamedAttempt) => string | null, over: string): Column<NamedAttempt> => ({
  id: 'left',
  header,
  nowrap: true,
  cell: (attempt) => {
    const end = until(attempt);
    return end === null ? <span className="till-muted">Not known</span> : <TimeLeft until={end} over={over} width="short" />;
  },
});

type ListName = AttemptState | 'ORPHANS';

interface List {
  readonly label: string;
  readonly filters: AttemptFilters;
  readonly lead: string;
  /** What matters about an attempt depends on the list. */
  readonly columns: readonly Column<NamedAttempt>[];
  readonly empty: { readonly title: string; readonly text: string };
}

/** The two work lists come first: a person has to decide each of their attempts. */
const LISTS: Readonly<Record<ListName, List>> = {
  UNKNOWN: {
    label: statusText('UNKNOWN'),
    filters: UNKNOWN_ATTEMPTS,
    lead: 'It is not known whether these were shipped. Ask the carrier, then confirm or void each. At its deadline, an attempt is voided.',
    columns: [
      WHAT,
      CUSTOMER,
      money('held', 'Held'),
      time('since', 'Unknown since', (attempt) => attempt.unknown_since),
      left('Until it is voided', (attempt) => attempt.deadline_at, 'Deadline passed'),
    ],
    empty: { title: 'No attempt of unknown outcome', text: 'The outcome of every purchase is known.' },
  },
  ORPHANS: {
    label: 'Orphan shipments',
    filters: { orphan: 'OPEN', limit: LARGEST_PAGE },
    lead: 'These were voided, but a parcel may have been sent. Ask the carrier, then close each with what you found out.',
    columns: [
      WHAT,
      CUSTOMER,
      CARRIERS_ID,
      time('since', 'Orphan since', (attempt) => attempt.orphan?.since ?? null),
      money('value', 'Value'),
    ],
    empty: { title: 'No open orphan shipments', text: 'No voided attempt has a parcel that waits for a decision.' },
  },
  PENDING: {
    label: statusText('PENDING'),
    filters: { state: 'PENDING', limit: PAGE_SIZE },
    lead: 'These are in progress. Most are settled within seconds. An attempt without an outcome becomes unknown.',
    columns: [
      WHAT,
      CUSTOMER,
      money('held', 'Held'),
      time('since', 'Started', (attempt) => attempt.created_at),
      left('Until it counts as unknown', (attempt) => attempt.expires_at, 'Any moment now'),
    ],
    empty: { title: 'No attempt in progress', text: 'An attempt is listed here until its outcome is known.' },
  },
  VOIDED: {
    label: statusText('VOIDED'),
    filters: { state: 'VOIDED', limit: PAGE_SIZE },
    lead: 'Nothing was bought, and the hold was released. Those whose parcel may exist are also listed under orphan shipments.',
    columns: [
      WHAT,
      CUSTOMER,
      money('total', 'Released'),
      PARCEL,
      time('since', 'Started', (attempt) => attempt.created_at),
      time('settled', 'Voided', (attempt) => attempt.settled_at),
    ],
    empty: { title: 'No attempt was voided', text: 'Attempts that bought nothing are listed here.' },
  },
  COMPLETED: {
    label: statusText('COMPLETED'),
    filters: { state: 'COMPLETED', limit: PAGE_SIZE },
    lead: 'These were shipped and charged, and became purchases.',
    columns: [
      WHAT,
      CUSTOMER,
      money('total', 'Charged'),
      time('since', 'Started', (attempt) => attempt.created_at),
      time('settled', 'Completed', (attempt) => attempt.settled_at),
    ],
    empty: { title: 'No attempt was completed', text: 'Attempts that became purchases are listed here.' },
  },
};

const NAMES: readonly ListName[] = ['UNKNOWN', 'ORPHANS', 'PENDING', 'VOIDED', 'COMPLETED'];

/** Attempts to buy: first the two work lists, those of unknown outcome and those with an open orphan shipment. */
export function AttemptsPage() {
  const api = useApi();
  useRememberedList();
  const [asked, setFilters] = useFilters(['state', 'orphan']);
  const name = asked.orphan === 'OPEN' ? 'ORPHANS' : (oneOf(NAMES, asked.state) ?? 'UNKNOWN');
  const { lead, columns, empty, filters } = LISTS[name];
  const { cursor, pages } = useCursor();
  const attempts = useAttempts({ ...filters, cursor });
  const orphans = useAttempts(LISTS.ORPHANS.filters).data;
  const counts: Partial<Record<ListName, string | undefined>> = { UNKNOWN: useUnknownCount(), ORPHANS: orphans && countOf(orphans) };
  return (
    <Page
      title="Attempts"
      lead={lead}
      actions={
        <ExportButton
          filename={exportName('attempts', name, dayOf(new Date()))}
          columns={ATTEMPT_CSV}
          pages={(signal) => everyPage((next) => read.attempts(api, { ...filters, limit: LARGEST_PAGE, cursor: next }, signal), signal)}
        />
      }
    >
      <Toolbar label="Attempts">
        <Segments
          label="List"
          value={name}
          options={NAMES.map((one) => ({ value: one, label: LISTS[one].label, count: counts[one] }))}
          onChange={(next) =>
            setFilters({
              // The default is not written into the address: /attempts are those of unknown outcome.
              state: next === 'UNKNOWN' || next === 'ORPHANS' ? '' : next,
              orphan: next === 'ORPHANS' ? 'OPEN' : '',
            })
          }
        />
      </Toolbar>
      <Card flush>
        <Answer query={attempts} loading="Loading attempts" failed="The attempts could not be loaded">
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={empty.title}>{empty.text}</Empty>
            ) : (
              <DataTable
                caption={`Attempts: ${LISTS[name].label}`}
                columns={columns}
                rows={page.items}
                rowKey={(attempt) => attempt.id}
                stale={attempts.isPlaceholderData}
                rowPlace={(attempt) => places.attempt(attempt.id)}
              />
            )
          }
        </Answer>
      </Card>
      <Pager of="attempts" {...pages(attempts)} />
    </Page>
  );
}
