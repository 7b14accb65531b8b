import type { PromoCode } from '../../api/types.ts';
import { amount, type CsvColumn, whole } from '../../format/csv.ts';

/** Promo codes as a spreadsheet takes them: amounts as numbers with their currency, times in UTC. */
export const PROMO_CODE_CSV: readonly CsvColumn<PromoCode>[] = [
  { header: 'code', cell: (promo) => promo.code },
  { header: 'state', cell: (promo) => promo.state },
  { header: 'version', cell: (promo) => whole(promo.version) },
  { header: 'discount_type', cell: (promo) => promo.discount.type },
  { header: 'percent', cell: (promo) => (promo.discount.type === 'percentage' ? whole(promo.discount.percent) : null) },
  {
    header: 'amount',
    cell: (promo) => (promo.discount.type === 'fixed' ? amount(promo.discount.amount, promo.currency) : null),
  },
  {
    header: 'max_amount',
    cell: ({ discount, currency }) => {
      const cap = discount.type === 'percentage' ? (discount.max_amount ?? null) : null;
      return cap === null ? null : amount(cap, currency);
    },
  },
  {
    header: 'minimum_subtotal',
    cell: (promo) => (promo.minimum_subtotal === null ? null : amount(promo.minimum_subtotal, promo.currency)),
  },
  { header: 'currency', cell: (promo) => promo.currency },
  { header: 'redemptions', cell: (promo) => whole(promo.redemptions) },
  { header: 'max_redemptions', cell: (promo) => (promo.max_redemptions === null ? null : whole(promo.max_redemptions)) },
  {
    header: 'max_redemptions_per_customer',
    cell: (promo) => (promo.max_redemptions_per_customer === null ? null : whole(promo.max_redemptions_per_customer)),
  },
  { header: 'valid_from', cell: (promo) => promo.valid_from },
  { header: 'valid_until', cell: (promo) => promo.valid_until },
  { header: 'first_purchase_only', cell: (promo) => (promo.first_purchase_only ? 'yes' : 'no') },
  { header: 'product_ids', cell: (promo) => promo.product_ids?.join(' ') },
  { header: 'customer_ids', cell: (promo) => promo.customer_ids?.join(' ') },
  { header: 'created_at', cell: (promo) => promo.created_at },
  { header: 'created_by', cell: (promo) => promo.created_by },
  { header: 'created_by_name', cell: (promo) => promo.created_by_name },
  { header: 'updated_at', cell: (promo) => promo.updated_at },
  { header: 'updated_by', cell: (promo) => promo.updated_by },
  { header: 'updated_by_name', cell: (promo) => promo.updated_by_name },
];
