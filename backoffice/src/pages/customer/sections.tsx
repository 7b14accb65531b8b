import { Link, useSearchParams } from 'react-router';

import { oneOf } from '../../app/url-state.ts';
import { LedgerExport, LedgerSection } from './ledger-section.tsx';
import { PurchasesExport, PurchasesSection } from './purchases-section.tsx';

const SECTIONS = ['ledger', 'purchases'] as const;

const TITLES = { ledger: 'Ledger', purchases: 'Purchases' } as const;

/** The lists of a customer, one at a time; which one is in the address. */
export function Sections({ customerId }: { readonly customerId: string }) {
  const [parameters] = useSearchParams();
  const shown = oneOf(SECTIONS, parameters.get('section') ?? '') ?? 'ledger';
  return (
    <div className="till-card">
      <div className="till-card-header">
        <nav className="till-sections" aria-label="Lists of this customer">
          {SECTIONS.map((section) => (
            <Link
              key={section}
              to={{ search: section === 'ledger' ? '' : `?section=${section}` }}
              replace
              preventScrollReset
              className={section === shown ? 'till-section-shown' : ''}
              aria-current={section === shown ? 'true' : undefined}
            >
              {TITLES[section]}
            </Link>
          ))}
        </nav>
        <div className="till-actions">
          {shown === 'ledger' ? <LedgerExport customerId={customerId} /> : <PurchasesExport customerId={customerId} />}
        </div>
      </div>
      <div className="till-card-flush">
        {shown === 'ledger' ? <LedgerSection customerId={customerId} /> : <PurchasesSection customerId={customerId} />}
      </div>
    </div>
  );
}
