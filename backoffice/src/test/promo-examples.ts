import type { PromoCode, PromoCodeDetail } from '../api/types.ts';

// Promo codes as the API answers them, for tests.

export function aPromoCode(changes: Partial<PromoCode> = {}): PromoCode {
  return {
    code: 'SPRING15',
    version: 1,
    state: 'ACTIVE',
    discount: { type: 'percentage', percent: 20, max_amount: 2500 },
    valid_from: null,
    valid_until: null,
    max_redemptions: null,
    max_redemptions_per_customer: null,
    minimum_subtotal: null,
    product_ids: null,
    customer_ids: null,
    first_purchase_only: false,
    currency: 'USD',
    redemptions: 0,
    created_at: '2026-03-01T09:00:00Z',
    created_by: 'rita',
    created_by_name: 'Rita Sorensen',
    updated_at: '2026-03-01T09:00:00Z',
    updated_by: 'rita',
    updated_by_name: 'Rita Sorensen',
    ...changes,
  };
}

/** A code with its first version only. */
export function aPromoCodeDetail(changes: Partial<PromoCodeDetail> = {}): PromoCodeDetail {
  const { discount, valid_from, valid_until, max_redemptions, max_redemptions_per_customer, minimum_subtotal, product_ids, customer_ids, ...rest } =
    aPromoCode();
  const terms = {
    discount,
    valid_from,
    valid_until,
    max_redemptions,
    max_redemptions_per_customer,
    minimum_subtotal,
    product_ids,
    customer_ids,
    first_purchase_only: rest.first_purchase_only,
  };
  return { ...rest, ...terms, changes: [{ version: 1, action: 'CREATED', actor: 'rita', actor_name: 'Rita Sorensen', at: rest.created_at, terms }], ...changes };
}
