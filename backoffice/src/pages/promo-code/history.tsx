import type { ReactNode } from 'react';

import type { PromoAction, PromoChange, PromoCodeDetail, PromoTerms } from '../../api/types.ts';
import { discountText } from '../../format/discount.ts';
import { type Happening, Timeline } from '../../ui/timeline.tsx';
import { Instant, Money, Who } from '../../ui/values.tsx';
import { changedTerms } from '../promo-codes/terms.ts';

const ACTIONS: Readonly<Record<PromoAction, string>> = { CREATED: 'Created', UPDATED: 'Terms changed', DEACTIVATED: 'Deactivated' };

const LABELS: Readonly<Record<keyof PromoTerms, string>> = {
  discount: 'Discount',
  minimum_subtotal: 'Minimum subtotal',
  valid_from: 'Valid from',
  valid_until: 'Valid until',
  max_redemptions: 'Total redemptions',
  max_redemptions_per_customer: 'Redemptions for each customer',
  first_purchase_only: 'First purchase only',
  product_ids: 'Products',
  customer_ids: 'Customers',
};

/** One term in words. */
function termText(terms: PromoTerms, term: keyof PromoTerms, currency: string): ReactNode {
  switch (term) {
    case 'discount':
      return discountText(terms.discount, currency);
    case 'minimum_subtotal':
      return terms.minimum_subtotal === null ? 'any' : <Money minor={terms.minimum_subtotal} currency={currency} />;
    case 'valid_from':
    case 'valid_until': {
      const at = terms[term];
      return at === null ? 'no limit' : <Instant at={at} />;
    }
    case 'max_redemptions':
    case 'max_redemptions_per_customer':
      return terms[term] ?? 'no limit';
    case 'first_purchase_only':
      return terms.first_purchase_only ? 'yes' : 'no';
    case 'product_ids':
    case 'customer_ids': {
      const ids = terms[term];
      return ids === null ? 'all' : ids.join(', ');
    }
  }
}

function difference(before: PromoChange, change: PromoChange, currency: string): ReactNode {
  const changed = changedTerms(before.terms, change.terms);
  if (changed.length === 0) return undefined;
  return (
    <ul className="till-difference">
      {changed.map((term) => (
        <li key={term}>
          {LABELS[term]}: <del>{termText(before.terms, term, currency)}</del> <span aria-hidden="true">→</span>{' '}
          <ins>{termText(change.terms, term, currency)}</ins>
        </li>
      ))}
    </ul>
  );
}

/** Every version of a code: who made it, when, and what was different. */
export function History({ promo }: { readonly promo: PromoCodeDetail }) {
  const happenings = promo.changes.map((change, index): Happening => {
    const before = promo.changes[index - 1];
    const more = before === undefined ? discountText(change.terms.discount, promo.currency) : difference(before, change, promo.currency);
    return {
      id: change.version.toString(),
      what: (
        <>
          {ACTIONS[change.action]} <span className="till-muted">(version {change.version})</span>
        </>
      ),
      at: change.at,
      by: <Who subject={change.actor} name={change.actor_name} />,
      tone: change.action === 'CREATED' ? 'good' : change.action === 'DEACTIVATED' ? 'bad' : 'plain',
      ...(more === undefined ? {} : { children: more }),
    };
  });
  return <Timeline label="Versions of the promo code" happenings={happenings} />;
}
