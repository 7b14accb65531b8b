import type { OrphanShipment } from '../../api/types.ts';
import { Flag } from '../../ui/flag.tsx';

/** Whether the orphan shipment of an attempt still waits for a person. */
export function OrphanFlag({ orphan }: { readonly orphan: OrphanShipment }) {
  return orphan.status === 'OPEN' ? (
    <Flag text="Orphan shipment open" tone="danger" title="Voided, but a parcel may have been sent. Ask the carrier." />
  ) : (
    <Flag text="Orphan shipment closed" tone="neutral" />
  );
}
