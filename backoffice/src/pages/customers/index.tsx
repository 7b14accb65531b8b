import { useNavigate } from 'react-router';

import { everyItem, read } from '../../api/queries.ts';
import { useApi } from '../../api/client.ts';
import type { KnownCustomer } from '../../api/types.ts';
import { isUuid, places } from '../../app/places.ts';
import { useFilters } from '../../app/url-state.ts';
import { type CsvColumn, exportName } from '../../format/csv.ts';
import { dayOf } from '../../format/moment.ts';
import { TextLink } from '../../ui/button.tsx';
import { ExportButton } from '../../ui/export-button.tsx';
import { Card, Page, Toolbar } from '../../ui/page.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Empty } from '../../ui/states.tsx';
import { CustomerList } from './customer-list.tsx';

import './styles.css';

/** The API searches for two characters or more. */
const SHORTEST_QUERY = 2;
const LONGEST_QUERY = 100;
const LARGEST_PAGE = 100;

const CSV: readonly CsvColumn<KnownCustomer>[] = [
  { header: 'customer_id', cell: (customer) => customer.id },
  { header: 'name', cell: (customer) => customer.name },
  { header: 'email', cell: (customer) => customer.email },
  { header: 'opened_at', cell: (customer) => customer.opened_at },
];

/** Finds customers by name, e-mail or id; without a query, lists those who have or had credit. */
export function CustomersPage() {
  const api = useApi();
  const navigate = useNavigate();
  const [{ query }, setFilters] = useFilters(['query']);
  const wanted = query.trim();
  const id = isUuid(wanted) ? wanted.toLowerCase() : undefined;
  const tooShort = wanted.length > 0 && wanted.length < SHORTEST_QUERY;
  return (
    <Page
      title="Customers"
      lead="Everybody who has or had credit, the newest first."
      actions={
        id === undefined &&
        !tooShort && (
          <ExportButton
            key={wanted}
            filename={exportName('customers', wanted === '' ? '' : `matching ${wanted}`, dayOf(new Date()))}
            columns={CSV}
            load={({ signal, onProgress }) =>
              everyItem((cursor) => read.customers(api, { query: wanted, limit: LARGEST_PAGE, cursor }, signal), { signal, onProgress })
            }
          />
        )
      }
    >
      <Toolbar label="Find among the customers">
        <SearchField
          className="till-customers-search"
          label="Name, e-mail or id"
          hint="Any part of a name or e-mail address, or a whole customer id."
          maxLength={LONGEST_QUERY}
          asked={query}
          onAsk={(text) => setFilters({ query: text })}
          onEnter={(text) => {
            if (isUuid(text)) void navigate(places.customer(text.toLowerCase()));
            else setFilters({ query: text });
          }}
        />
      </Toolbar>
      <Card flush className="till-customers-list">
        {id !== undefined ? (
          <Empty title="This is a customer’s id" action={<TextLink to={places.customer(id)}>Open customer {id}</TextLink>}>
            A customer is found by id even without ever having had credit.
          </Empty>
        ) : tooShort ? (
          <Empty title="Type at least two characters">They may be any part of a name or an e-mail address.</Empty>
        ) : (
          <CustomerList query={wanted} />
        )}
      </Card>
    </Page>
  );
}
