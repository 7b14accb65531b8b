import type { PromoCode } from '../../api/types.ts';

/** Whether a code can be used now, and if not, why: what its state alone does not tell. */
export type Availability = 'usable' | 'not yet valid' | 'expired' | 'used up' | 'deactivated';

/** Whether a code can be used at a time. */
export function availabilityOf(promo: PromoCode, now: number): Availability {
  if (promo.state === 'DEACTIVATED') return 'deactivated';
  if (promo.valid_until !== null && Date.parse(promo.valid_until) <= now) return 'expired';
  if (promo.valid_from !== null && Date.parse(promo.valid_from) > now) return 'not yet valid';
  return promo.max_redemptions !== null && promo.redemptions >= promo.max_redemptions ? 'used up' : 'usable';
}

/** The word for it next to the state; undefined where the state says it all. */
export function availabilityText(availability: Availability): string | undefined {
  if (availability === 'usable' || availability === 'deactivated') return undefined;
  return `${availability.charAt(0).toUpperCase()}${availability.slice(1)}`;
}
