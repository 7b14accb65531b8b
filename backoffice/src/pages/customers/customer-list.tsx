import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';

import { Problem } from '../../api/problem.ts';
import { PAGE_SIZE, useKnownCustomers } from '../../api/queries.ts';
import type { KnownCustomer } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { Button, TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Id, Instant } from '../../ui/values.tsx';

/** How many pages a search goes through by itself before it asks whether to go on. */
export const LOOKS_AT_ONCE = 5;

const COLUMNS: readonly Column<KnownCustomer>[] = [
  {
    id: 'name',
    header: 'Name',
    isRowHeader: true,
    cell: ({ id, name }) => (
      <TextLink to={places.customer(id)}>{name ?? <span className="till-muted">Name not known at this moment</span>}</TextLink>
    ),
  },
  { id: 'email', header: 'E-mail', cell: ({ email }) => email ?? <span className="till-muted">Not known at this moment</span> },
  { id: 'id', header: 'Id', cell: ({ id, name }) => <Id value={id} name={name === null ? 'customer id' : `id of ${name}`} /> },
  { id: 'since', header: 'Customer since', nowrap: true, cell: ({ opened_at }) => <Instant at={opened_at} dateOnly /> },
];

const FOUND_BY_ID = 'A customer who never had credit is found by id only: paste the id into the search.';

/** How far a list goes by itself: until it has so many customers, or has asked for so many pages. */
interface Goal {
  readonly query: string;
  readonly customers: number;
  readonly looks: number;
}

const firstGoal = (query: string): Goal => ({ query, customers: PAGE_SIZE, looks: LOOKS_AT_ONCE });

/** The customers that match, as far as they were asked for. Where they are few, it goes on by itself for a while. */
export function CustomerList({ query }: { readonly query: string }) {
  const navigate = useNavigate();
  const customers = useKnownCustomers(query);
  const [goal, setGoal] = useState(() => firstGoal(query));
  if (goal.query !== query) setGoal(firstGoal(query));
  const { data, isPlaceholderData, hasNextPage, isFetching, isFetchingNextPage, isFetchNextPageError, error, fetchNextPage } = customers;
  const goesOn =
    data !== undefined &&
    !isPlaceholderData &&
    hasNextPage &&
    error === null &&
    data.items.length < goal.customers &&
    data.looks < goal.looks;
  // The page before, and not only whether something is under way: an answer may come before that was rendered.
  const looks = data?.looks;
  useEffect(() => {
    if (goesOn && !isFetching) void fetchNextPage();
  }, [goesOn, isFetching, looks, fetchNextPage]);
  const goOn = () => {
    setGoal({ query, customers: (data?.items.length ?? 0) + PAGE_SIZE, looks: (data?.looks ?? 0) + LOOKS_AT_ONCE });
    void fetchNextPage();
  };
  return (
    <Answer
      // That a further page failed is said below the list, which is still right.
      query={{ ...customers, error: isFetchNextPageError ? null : error }}
      loading={query === '' ? 'Loading the customers' : 'Searching'}
      failed={query === '' ? 'The customers could not be loaded' : 'The search failed'}
    >
      {({ items }) => (
        <>
          {items.length > 0 && (
            <DataTable
              caption="Customers"
              columns={COLUMNS}
              rows={items}
              rowKey={({ id }) => id}
              stale={isPlaceholderData}
              onRowClick={({ id }) => void navigate(places.customer(id))}
            />
          )}
          {items.length === 0 && !hasNextPage && !isPlaceholderData && <NobodyFound query={query} />}
          <Ending
            query={query}
            found={items.length}
            searching={goesOn || isFetchingNextPage || isPlaceholderData}
            more={hasNextPage && !isPlaceholderData}
            failure={isFetchNextPageError ? error : null}
            onGoOn={goOn}
          />
        </>
      )}
    </Answer>
  );
}

function NobodyFound({ query }: { readonly query: string }) {
  if (query === '') {
    return (
      <Empty title="No customer has credit yet">
        Customers are listed here from the first credit that they are granted. {FOUND_BY_ID}
      </Empty>
    );
  }
  return (
    <Empty title={`No customer matches “${query}”`}>
      Only customers who have or had credit can be searched for by name and e-mail. {FOUND_BY_ID}
    </Empty>
  );
}

interface EndingProps {
  readonly query: string;
  readonly found: number;
  readonly searching: boolean;
  readonly more: boolean;
  readonly failure: unknown;
  readonly onGoOn: () => void;
}

/** Below the list: how many there are, whether there may be more, and how to get at them. */
function Ending(props: EndingProps) {
  const { query, searching, more, failure, onGoOn } = props;
  const goOn = query === '' ? 'Show more' : 'Search further';
  return (
    <div className="till-customers-ending">
      {/* Always there: a live region that comes together with its text is not read out. */}
      <p role="status" className={failure === null ? 'till-muted' : 'till-field-error'}>
        {query === '' ? listEnding(props) : searchEnding(props)}
      </p>
      {more && <Button label={failure === null ? goOn : 'Try again'} kind="secondary" busy={searching} onClick={onGoOn} />}
    </div>
  );
}

const counted = (found: number): string => `${found} ${found === 1 ? 'customer' : 'customers'}`;

function listEnding({ found, searching, more, failure }: EndingProps): string {
  if (searching) return 'Loading more…';
  if (failure !== null) return `The list stopped here: ${Problem.of(failure).detail}`;
  if (more) return `The newest ${counted(found)}.`;
  return found === 0 ? '' : `${counted(found)} in all.`;
}

function searchEnding({ found, searching, more, failure }: EndingProps): string {
  if (searching) return `Searching… ${counted(found)} found so far.`;
  if (failure !== null) return `The search stopped here: ${Problem.of(failure).detail}`;
  if (more && found === 0) return 'Looked through many customers and found none yet. There are more to look through.';
  if (more) return `${counted(found)} found so far. There are more to look through.`;
  return found === 0 ? '' : `${counted(found)} found. All customers were looked through.`;
}
