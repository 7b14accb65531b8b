import type { PromoCode } from '../../api/types.ts';
import { Flag } from '../../ui/flag.tsx';
import { useNow } from '../../ui/now.ts';
import { StatusBadge } from '../../ui/values.tsx';
import { availabilityOf, availabilityText } from './availability.ts';

/** The state of a code, and next to it why it cannot be used although it is active. */
export function PromoStatus({ promo }: { readonly promo: PromoCode }) {
  const now = useNow();
  const text = availabilityText(availabilityOf(promo, now));
  return (
    <span className="till-actions">
      <StatusBadge status={promo.state} />
      {text !== undefined && <Flag text={text} tone="warning" />}
    </span>
  );
}
