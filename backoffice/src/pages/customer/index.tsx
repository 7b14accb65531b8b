import { useCredit, useCustomer } from '../../api/queries.ts';
import { BadId } from '../../app/bad-id.tsx';
import { ListLink } from '../../app/links.tsx';
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
      <BadId
        of="customer"
        above={<ListLink to={places.customers()}>Customers</ListLink>}
        action={<TextLink to={places.customers(customerId)}>Search for it instead</TextLink>}
      />
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
      above={<ListLink to={places.customers()}>Customers</ListLink>}
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
          {/* The lists come first: what is above them is low. */}
          <div className="till-columns till-overview">
            <BalanceCard customerId={customerId} customerName={name} />
            <BalanceOverTime customerId={customerId} />
          </div>
          <div className="till-columns till-lists">
            <Sections customerId={customerId} />
            <DetailsCard customer={customer} />
          </div>
        </>
      )}
    </Page>
  );
}
