import type { OrphanOutcome } from '../../api/types.ts';

/** What can have become of a possible orphan shipment: as a choice, and as what was found out. */
export const ORPHAN_OUTCOMES: Readonly<Record<OrphanOutcome, { readonly choice: string; readonly done: string }>> = {
  RECALLED: { choice: 'Called back: there is a parcel, and the carrier returns it', done: 'the parcel was called back' },
  WRITTEN_OFF: { choice: 'Written off: there is a parcel, and the customer keeps it', done: 'written off, the customer keeps the parcel' },
  NOT_REAL: { choice: 'No parcel was sent', done: 'no parcel was sent' },
};
