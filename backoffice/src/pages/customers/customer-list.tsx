import { Problem } from '../../api/problem.ts';
import { problemText } from '../../api/problem-text.ts';
import { useKnownCustomers } from '../../api/queries.ts';
import type { KnownCustomer } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { Button, TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Id, Instant } from '../../ui/values.tsx';

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
  { id: 'id', header: 'Id', cell: ({ id, name }) => <Id value={id} name={name === null ? 'customer id' : `id of ${name}`} short /> },
  { id: 'since', header: 'Credit since', nowrap: true, cell: ({ opened_at }) => <Instant at={opened_at} dateOnly /> },
];

/** The customers, as far as they were asked for. */
export function CustomerList() {
  const customers = useKnownCustomers();
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, error, fetchNextPage } = customers;
  return (
    <Answer
      // That a further page failed is said below the list, which is still right.
      query={{ ...customers, error: isFetchNextPageError ? null : error }}
      loading="Loading the customers"
      failed="The customers could not be loaded"
    >
      {(items) =>
        items.length === 0 ? (
          <Empty title="No customer has credit yet">
            Customers are listed here from the first credit that they are granted. The search finds others by their id.
          </Empty>
        ) : (
          <>
            <DataTable
              caption="Customers"
              columns={COLUMNS}
              rows={items}
              rowKey={({ id }) => id}
              rowPlace={({ id }) => places.customer(id)}
            />
            <Ending
              found={items.length}
              loading={isFetchingNextPage}
              more={hasNextPage}
              failure={isFetchNextPageError ? error : null}
              onShowMore={() => void fetchNextPage()}
            />
          </>
        )
      }
    </Answer>
  );
}

interface EndingProps {
  readonly found: number;
  readonly loading: boolean;
  readonly more: boolean;
  readonly failure: unknown;
  readonly onShowMore: () => void;
}

/** Below the list: how many there are, whether there are more, and how to get at them. */
function Ending({ found, loading, more, failure, onShowMore }: EndingProps) {
  const counted = `${found} ${found === 1 ? 'customer' : 'customers'}`;
  const said = more ? `The newest ${counted}.` : `${counted} in total.`;
  return (
    <div className="till-customers-ending">
      {/* Always there: a live region that comes together with its text is not read out. */}
      <p role="status" className={failure === null ? 'till-muted' : 'till-field-error'}>
        {loading ? 'Loading more…' : failure === null ? said : `The list stopped here: ${problemText(Problem.of(failure))}`}
      </p>
      {more && <Button label={failure === null ? 'Show more' : 'Try again'} kind="secondary" busy={loading} onClick={onShowMore} />}
    </div>
  );
}
