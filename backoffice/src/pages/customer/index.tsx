import { useCredit, useCustomer } from '../../api/queries.ts';
import { isUuid, places } from '../../app/places.ts';
import { useRouteParam } from '../../app/route-params.ts';
import { TextLink } from '../../ui/button.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Empty, Loading } from '../../ui/states.tsx';
import { Id } from '../../ui/values.tsx';
import { BalanceCard } from './balance-card.tsx';
import { BalanceOverTime } from './balance-over-time.tsx';
import { DetailsCard, isUnknown } from './details-card.tsx';
import { Sections } from './sections.tsx';

import './styles.css';

/** A customer at a glance: details, credit, ledger and purchases. */
export function CustomerPage() {
  const customerId = useRouteParam('customerId').toLowerCase();
  if (!isUuid(customerId)) {
    return (
      <Page title="Customer" above={<TextLink to={places.customers()}>Customers</TextLink>}>
        <Card>
          <Empty title="This is not a customer’s id" action={<TextLink to={places.customers(customerId)}>Search for it instead</TextLink>}>
            An id looks like <code>c0000000-0000-4000-8000-000000000003</code>.
          </Empty>
        </Card>
      </Page>
    );
  }
  // Another customer is another page: nothing that was typed for one may be sent for the other.
  return <KnownById key={customerId} customerId={customerId} />;
}

function KnownById({ customerId }: { readonly customerId: string }) {
  const customer = useCustomer(customerId);
  const credit = useCredit(customerId);
  const name = customer.data?.name;
  // A customer whom the Customer API does not know (any more) may still have credit here.
  const unknown = isUnknown(customer);
  const hasAccount = credit.data !== undefined && credit.data.version > 0;
  return (
    <Page
      title={unknown ? 'Unknown customer' : (name ?? 'Customer')}
      above={<TextLink to={places.customers()}>Customers</TextLink>}
      lead={<Id value={customerId} name="customer id" />}
    >
      {unknown && !hasAccount ? (
        <Card>
          {credit.isPending ? (
            <Loading label="Loading the customer" />
          ) : (
            <Empty title="There is no customer with this id" action={<TextLink to={places.customers()}>Search by name or e-mail</TextLink>}>
              Compare it with where you have it from: each digit counts.
            </Empty>
          )}
        </Card>
      ) : (
        <>
          <div className="till-columns">
            <div className="till-stack">
              <BalanceCard customerId={customerId} customerName={name} />
              <BalanceOverTime customerId={customerId} />
            </div>
            <DetailsCard customer={customer} />
          </div>
          <Sections customerId={customerId} />
        </>
      )}
    </Page>
  );
}
