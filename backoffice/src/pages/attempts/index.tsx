import { useNavigate } from 'react-router';

import { useApi } from '../../api/client.ts';
import { everyItem, PAGE_SIZE, read, useAttempts } from '../../api/queries.ts';
import type { AttemptState, NamedAttempt } from '../../api/types.ts';
import { CustomerLink, useRememberedList } from '../../app/links.tsx';
import { places } from '../../app/places.ts';
import { oneOf, useCursor, useFilters } from '../../app/url-state.ts';
import { exportName } from '../../format/csv.ts';
import { dayOf } from '../../format/moment.ts';
import { TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { Flag } from '../../ui/flag.tsx';
import { Card, Page, Toolbar } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Segments } from '../../ui/segments.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { TimeLeft } from '../../ui/time-left.tsx';
import { Instant, Money, statusText } from '../../ui/values.tsx';
import { ATTEMPT_CSV } from './csv.ts';

/** Those that wait for somebody come first. */
const STATES: readonly AttemptState[] = ['UNKNOWN', 'PENDING', 'VOIDED', 'COMPLETED'];

/** The API takes at most so many at once: an export asks for as many. */
const EXPORT_PAGE_SIZE = 100;

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

/** Of the states, only this one leaves something open: whether there is a parcel all the same. */
const PARCEL: Column<NamedAttempt> = {
  id: 'parcel',
  header: 'Parcel',
  nowrap: true,
  cell: (attempt) =>
    attempt.possible_orphan ? (
      <Flag text="Possible orphan" tone="danger" title="Voided, and yet a parcel may have been sent. Ask the carrier." />
    ) : (
      <span className="till-muted">None</span>
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

/** What matters about an attempt depends on its state. */
const COLUMNS: Readonly<Record<AttemptState, readonly Column<NamedAttempt>[]>> = {
  UNKNOWN: [
    WHAT,
    CUSTOMER,
    money('held', 'Held'),
    time('since', 'Unknown since', (attempt) => attempt.unknown_since),
    left('Until it is voided', (attempt) => attempt.deadline_at, 'Deadline passed'),
  ],
  PENDING: [
    WHAT,
    CUSTOMER,
    money('held', 'Held'),
    time('since', 'Begun', (attempt) => attempt.created_at),
    left('Until it counts as unknown', (attempt) => attempt.expires_at, 'Any moment now'),
  ],
  VOIDED: [
    WHAT,
    CUSTOMER,
    money('total', 'Given back'),
    PARCEL,
    time('since', 'Begun', (attempt) => attempt.created_at),
    time('settled', 'Voided', (attempt) => attempt.settled_at),
  ],
  COMPLETED: [
    WHAT,
    CUSTOMER,
    money('total', 'Charged'),
    time('since', 'Begun', (attempt) => attempt.created_at),
    time('settled', 'Completed', (attempt) => attempt.settled_at),
  ],
};

const LEADS: Readonly<Record<AttemptState, string>> = {
  UNKNOWN: 'Nobody knows whether these were shipped. Ask the carrier, then confirm or void them; at the deadline they are voided.',
  PENDING: 'These are under way. Most are settled within seconds; those whose run has died become unknown by themselves.',
  VOIDED: 'Nothing was bought, and what was held went back. A possible orphan may have been sent all the same.',
  COMPLETED: 'These were shipped and charged, and became purchases.',
};

const EMPTY: Readonly<Record<AttemptState, { readonly title: string; readonly text: string }>> = {
  UNKNOWN: { title: 'No attempt waits for anybody', text: 'The outcome of every purchase is known.' },
  PENDING: { title: 'Nothing is under way', text: 'An attempt is listed here while its purchase is being made.' },
  VOIDED: { title: 'No attempt was voided', text: 'Attempts that bought nothing will be listed here.' },
  COMPLETED: { title: 'No attempt was completed', text: 'Attempts that became purchases will be listed here.' },
};

/** Attempts to buy: first of all those of unknown outcome, which somebody has to resolve. */
export function AttemptsPage() {
  const api = useApi();
  const navigate = useNavigate();
  useRememberedList();
  const [{ state: asked }, setFilters] = useFilters(['state']);
  const state = oneOf(STATES, asked) ?? 'UNKNOWN';
  const { cursor, pages } = useCursor();
  const attempts = useAttempts({ limit: PAGE_SIZE, state, cursor });
  return (
    <Page
      title="Attempts"
      lead={LEADS[state]}
      actions={
        <ExportButton
          filename={exportName('attempts', state, dayOf(new Date()))}
          columns={ATTEMPT_CSV}
          load={({ signal, onProgress }) =>
            everyItem((next) => read.attempts(api, { limit: EXPORT_PAGE_SIZE, state, cursor: next }, signal), { signal, onProgress })
          }
        />
      }
    >
      <Toolbar label="Attempts">
        <Segments
          label="State"
          value={state}
          options={STATES.map((one) => ({ value: one, label: statusText(one) }))}
          // The default is not written into the address: /attempts are those that wait.
          onChange={(next) => setFilters({ state: next === 'UNKNOWN' ? '' : next })}
        />
      </Toolbar>
      <Card flush>
        <Answer query={attempts} loading="Loading attempts" failed="The attempts could not be loaded">
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={EMPTY[state].title}>{EMPTY[state].text}</Empty>
            ) : (
              <DataTable
                caption="Attempts"
                columns={COLUMNS[state]}
                rows={page.items}
                rowKey={(attempt) => attempt.id}
                stale={attempts.isPlaceholderData}
                onRowClick={(attempt) => void navigate(places.attempt(attempt.id))}
              />
            )
          }
        </Answer>
      </Card>
      <Pager of="attempts" {...pages(attempts.data?.next_cursor)} />
    </Page>
  );
}
