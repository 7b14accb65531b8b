import type { Attempt, Balance, Credit, Customer, Entry, KnownCustomer, NamedPurchase, OrphanShipment, Purchase } from '../api/types.ts';

// Things as the API answers them, for tests. Each may be changed in what the test is about.

export const CUSTOMER_ID = 'c0000000-0000-4000-8000-000000000003';
export const PURCHASE_ID = '85cdc38b-2877-53de-82e1-d549e707e92a';
export const ATTEMPT_ID = 'a1cdc38b-2877-53de-82e1-d549e707e92b';

const ADDRESS = {
  line1: '905 Mesa Verde Drive',
  line2: null,
  city: 'Santa Fe',
  postal_code: '87501',
  state: 'NM',
  country: 'US',
};

const PRODUCT = {
  id: 'd0000000-0000-4000-8000-000000000003',
  sku: 'NTB-A5-DOT',
  name: 'Notebook, A5',
  description: '192 dotted pages, lies flat when open.',
  unit_price: 1250,
};

export function aCustomer(changes: Partial<Customer> = {}): Customer {
  return {
    id: CUSTOMER_ID,
    name: 'Chiara Lindqvist',
    email: 'chiara@example.com',
    billing_address: ADDRESS,
    shipping_address: ADDRESS,
    created_at: '2025-03-01T09:00:00Z',
    last_modified_at: '2026-05-01T09:00:00Z',
    stale: false,
    ...changes,
  };
}

export function aBalance(changes: Partial<Balance> = {}): Balance {
  return {
    customer_id: CUSTOMER_ID,
    currency: 'USD',
    posted: 4000,
    held: 0,
    available: 4000,
    version: 1,
    updated_at: '2026-11-22T17:36:15.122328Z',
    ...changes,
  };
}

export function aCredit({ verification, adjustment_limit = null, ...balance }: Partial<Credit> = {}): Credit {
  const verified = { version: 1, verified_at: '2026-11-22T17:36:16.122328Z', findings: 0 };
  return { ...aBalance(balance), adjustment_limit, verification: verification === undefined ? verified : verification };
}

export function anEntry(changes: Partial<Entry> = {}): Entry {
  return {
    id: '1e69c7af-f5cd-5846-9caa-4f5f048208e6',
    customer_id: CUSTOMER_ID,
    sequence: 1,
    kind: 'GRANT',
    amount: 4000,
    currency: 'USD',
    balance_after: 4000,
    reason: 'Welcome credit',
    actor: 'rita',
    actor_name: 'Rita Sorensen',
    purchase_id: null,
    refund_id: null,
    idempotency_key: 'first',
    previous_hash: '0'.repeat(64),
    hash: 'a'.repeat(64),
    created_at: '2026-11-22T17:36:15.122328Z',
    ...changes,
  };
}

export function aPurchase(changes: Partial<Purchase> = {}): Purchase {
  return {
    id: PURCHASE_ID,
    customer_id: CUSTOMER_ID,
    product: PRODUCT,
    quantity: 2,
    subtotal: 2500,
    discount: 0,
    total: 2500,
    refunded: 0,
    refundable: 2500,
    currency: 'USD',
    promo_code: null,
    promo_discount: null,
    refunded_quantity: 0,
    refundable_quantity: 2,
    shipment_id: 'shp_59904714caa2412e9f0bffca822e409d',
    shipping_address: ADDRESS,
    status: 'COMPLETED',
    created_at: '2026-11-22T17:36:19.610487Z',
    created_by: 'shop',
    created_by_name: null,
    ...changes,
  };
}

export function aNamedPurchase(changes: Partial<NamedPurchase> = {}): NamedPurchase {
  return { ...aPurchase(), customer_name: 'Chiara Lindqvist', ...changes };
}

export function anAttempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    id: ATTEMPT_ID,
    customer_id: CUSTOMER_ID,
    state: 'UNKNOWN',
    product: PRODUCT,
    quantity: 2,
    subtotal: 2500,
    discount: 0,
    total: 2500,
    currency: 'USD',
    promo_code: null,
    shipping_address: ADDRESS,
    created_at: '2026-11-22T17:36:19.610487Z',
    created_by: 'shop',
    created_by_name: null,
    expires_at: '2026-11-22T17:38:19.610487Z',
    unknown_since: '2026-11-22T17:38:20.000000Z',
    deadline_at: '2026-11-24T17:38:20.000000Z',
    settled_at: null,
    carrier: null,
    resolution: null,
    shipment_id: null,
    orphan: null,
    purchase_id: null,
    ...changes,
  };
}

/** A possible orphan shipment that no person has closed. */
export function anOrphan(changes: Partial<OrphanShipment> = {}): OrphanShipment {
  return { status: 'OPEN', since: '2026-11-24T17:38:20.000000Z', shipment_id: null, closing: null, earlier_closings: [], ...changes };
}

export function aKnownCustomer(changes: Partial<KnownCustomer> = {}): KnownCustomer {
  return {
    id: CUSTOMER_ID,
    name: 'Chiara Lindqvist',
    email: 'chiara@example.com',
    opened_at: '2026-11-22T17:36:15.122328Z',
    ...changes,
  };
}
