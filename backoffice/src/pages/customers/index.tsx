import { everyPage, read } from '../../api/queries.ts';
import { useApi } from '../../api/client.ts';
import type { KnownCustomer } from '../../api/types.ts';
import { useRememberedList } from '../../app/links.tsx';
import { type CsvColumn, exportName } from '../../format/csv.ts';
import { dayOf } from '../../format/moment.ts';
import { LARGEST_PAGE } from '../../limits.ts';
import { ExportButton } from '../../ui/export-button.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { CustomerList } from './customer-list.tsx';

import './styles.css';

const CSV: readonly CsvColumn<KnownCustomer>[] = [
  { header: 'customer_id', cell: (customer) => customer.id },
  { header: 'name', cell: (customer) => customer.name },
  { header: 'email', cell: (customer) => customer.email },
  { header: 'opened_at', cell: (customer) => customer.opened_at },
];

/** Lists those who have or had credit. The search of the header finds one of them. */
export function CustomersPage() {
  const api = useApi();
  useRememberedList();
  return (
    <Page
      title="Customers"
      lead="Customers with credit, newest first. Use the search above to find one by name, e-mail or id."
      actions={
        <ExportButton
          filename={exportName('customers', '', dayOf(new Date()))}
          columns={CSV}
          pages={(signal) => everyPage((cursor) => read.customers(api, { limit: LARGEST_PAGE, cursor }, signal), signal)}
        />
      }
    >
      <Card flush className="till-customers-list">
        <CustomerList />
      </Card>
    </Page>
  );
}
