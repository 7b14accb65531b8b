import { fingerprint } from '../../api/intents.ts';
import { Problem } from '../../api/problem.ts';
import type { Reading } from '../../api/queries.ts';
import type { Customer } from '../../api/types.ts';
import { AddressLines } from '../../ui/address.tsx';
import { Card, Facts } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Instant } from '../../ui/values.tsx';

/** A customer as the Customer API has them now. */
export function DetailsCard({ customer }: { readonly customer: Reading<Customer> }) {
  return (
    <Card title="Details">
      <Answer
        query={customer}
        loading="Loading the details"
        failed="The details could not be loaded"
        notFound={
          <Empty title="The Customer API does not know this customer">
            They may have been deleted there. Their credit and their ledger are kept here.
          </Empty>
        }
      >
        {(found) => (
          <div className="till-stack">
            {found.stale && (
              <div className="till-notice till-notice-warning" role="status">
                <span>
                  <strong>These details may be out of date.</strong> The Customer API does not answer at this moment; this is what it said
                  before.
                </span>
              </div>
            )}
            <Facts
              facts={[
                { label: 'Name', value: found.name },
                { label: 'E-mail', value: found.email },
                ...(isSameAddress(found)
                  ? [{ label: 'Billing and shipping address', value: <AddressLines address={found.billing_address} /> }]
                  : [
                      { label: 'Billing address', value: <AddressLines address={found.billing_address} /> },
                      { label: 'Shipping address', value: <AddressLines address={found.shipping_address} /> },
                    ]),
                { label: 'Registered', value: <Instant at={found.created_at} dateOnly /> },
                { label: 'Details changed', value: <Instant at={found.last_modified_at} dateOnly /> },
              ]}
            />
          </div>
        )}
      </Answer>
    </Card>
  );
}

function isSameAddress({ billing_address: billing, shipping_address: shipping }: Customer): boolean {
  return fingerprint(billing) === fingerprint(shipping);
}

/** The Customer API said that there is no customer with this id. */
export function isUnknown(customer: Reading<Customer>): boolean {
  return customer.error !== null && Problem.of(customer.error).status === 404;
}
