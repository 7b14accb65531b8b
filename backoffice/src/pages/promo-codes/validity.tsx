import type { PromoTerms } from '../../api/types.ts';
import { Instant } from '../../ui/values.tsx';

/** From when until when a code can be used. */
export function Validity({ promo }: { readonly promo: Pick<PromoTerms, 'valid_from' | 'valid_until'> }) {
  const { valid_from: from, valid_until: until } = promo;
  if (from === null && until === null) return <span className="till-muted">Always</span>;
  return (
    <span className="till-cell-lines">
      {from !== null && (
        <span>
          From <Instant at={from} />
        </span>
      )}
      {until !== null && (
        <span>
          Until <Instant at={until} />
        </span>
      )}
    </span>
  );
}
