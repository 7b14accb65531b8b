import { Problem } from '../../api/problem.ts';
import type { Reading } from '../../api/queries.ts';
import type { Address, Customer } from '../../api/types.ts';
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
                { label: 'Billing address', value: <PostalAddress address={found.billing_address} /> },
                { label: 'Shipping address', value: <PostalAddress address={found.shipping_address} /> },
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

function PostalAddress({ address }: { readonly address: Address }) {
  const { line1, line2, city, postal_code: postalCode, state, country } = address;
  return (
    <address className="till-address">
      {[line1, line2, `${city}, ${state} ${postalCode}`, countryName(country)]
        .filter((line): line is string => line !== null && line !== '')
        .map((line) => (
          <span key={line}>{line}</span>
        ))}
    </address>
  );
}

/** The name of a country in the viewer's language; its code as it is where it is none that Intl knows. */
function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  return new Intl.DisplayNames(undefined, { type: 'region', fallback: 'code' }).of(code) ?? code;
}

/** The Customer API said that there is nobody with this id. */
export function isUnknown(customer: Reading<Customer>): boolean {
  return customer.error !== null && Problem.of(customer.error).status === 404;
}
