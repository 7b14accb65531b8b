import type { NamedAttempt } from '../../api/types.ts';
import { amount, type CsvColumn, whole } from '../../format/csv.ts';

/** Attempts as a spreadsheet takes them: amounts as numbers with their currency, times in UTC. */
export const ATTEMPT_CSV: readonly CsvColumn<NamedAttempt>[] = [
  { header: 'attempt_id', cell: (attempt) => attempt.id },
  { header: 'state', cell: (attempt) => attempt.state },
  { header: 'created_at', cell: (attempt) => attempt.created_at },
  { header: 'created_by', cell: (attempt) => attempt.created_by },
  { header: 'unknown_since', cell: (attempt) => attempt.unknown_since },
  { header: 'deadline_at', cell: (attempt) => attempt.deadline_at },
  { header: 'settled_at', cell: (attempt) => attempt.settled_at },
  { header: 'customer_id', cell: (attempt) => attempt.customer_id },
  { header: 'customer_name', cell: (attempt) => attempt.customer_name },
  { header: 'sku', cell: (attempt) => attempt.product.sku },
  { header: 'product', cell: (attempt) => attempt.product.name },
  { header: 'quantity', cell: (attempt) => whole(attempt.quantity) },
  { header: 'total', cell: (attempt) => amount(attempt.total, attempt.currency) },
  { header: 'currency', cell: (attempt) => attempt.currency },
  { header: 'carrier_outcome', cell: (attempt) => attempt.carrier?.outcome },
  { header: 'carrier_message', cell: (attempt) => attempt.carrier?.message },
  { header: 'carrier_answered_at', cell: (attempt) => attempt.carrier?.answered_at },
  { header: 'shipment_id', cell: (attempt) => attempt.shipment_id ?? attempt.carrier?.shipment_id },
  { header: 'resolved_by', cell: (attempt) => attempt.resolution?.actor },
  { header: 'resolution_reason', cell: (attempt) => attempt.resolution?.reason },
  { header: 'orphan_status', cell: (attempt) => attempt.orphan?.status },
  { header: 'orphan_since', cell: (attempt) => attempt.orphan?.since },
  { header: 'orphan_shipment_id', cell: (attempt) => attempt.orphan?.shipment_id },
  { header: 'orphan_outcome', cell: (attempt) => attempt.orphan?.closing?.outcome },
  { header: 'orphan_closed_at', cell: (attempt) => attempt.orphan?.closing?.closed_at },
  { header: 'orphan_closed_by', cell: (attempt) => attempt.orphan?.closing?.closed_by },
  { header: 'orphan_reason', cell: (attempt) => attempt.orphan?.closing?.reason },
];
