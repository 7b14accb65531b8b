import type { NamedPurchase } from '../../api/types.ts';
import { amount, type CsvColumn, whole } from '../../format/csv.ts';

/** Purchases as a spreadsheet takes them: amounts as numbers with their currency, times in UTC. */
export const PURCHASE_CSV: readonly CsvColumn<NamedPurchase>[] = [
  { header: 'purchase_id', cell: (purchase) => purchase.id },
  { header: 'created_at', cell: (purchase) => purchase.created_at },
  { header: 'created_by', cell: (purchase) => purchase.created_by },
  { header: 'created_by_name', cell: (purchase) => purchase.created_by_name },
  { header: 'customer_id', cell: (purchase) => purchase.customer_id },
  { header: 'customer_name', cell: (purchase) => purchase.customer_name },
  { header: 'status', cell: (purchase) => purchase.status },
  { header: 'product_id', cell: (purchase) => purchase.product.id },
  { header: 'sku', cell: (purchase) => purchase.product.sku },
  { header: 'product', cell: (purchase) => purchase.product.name },
  { header: 'unit_price', cell: (purchase) => amount(purchase.product.unit_price, purchase.currency) },
  { header: 'quantity', cell: (purchase) => whole(purchase.quantity) },
  { header: 'subtotal', cell: (purchase) => amount(purchase.subtotal, purchase.currency) },
  { header: 'promo_code', cell: (purchase) => purchase.promo_code },
  { header: 'discount', cell: (purchase) => amount(purchase.discount, purchase.currency) },
  { header: 'total', cell: (purchase) => amount(purchase.total, purchase.currency) },
  { header: 'refunded', cell: (purchase) => amount(purchase.refunded, purchase.currency) },
  { header: 'refundable', cell: (purchase) => amount(purchase.refundable, purchase.currency) },
  { header: 'currency', cell: (purchase) => purchase.currency },
  { header: 'shipment_id', cell: (purchase) => purchase.shipment_id },
];
