import { createHash } from 'node:crypto';

import type { Page } from '@playwright/test';

import type { components } from '../src/api/schema.d.ts';

type Entry = components['schemas']['NamedEntryResponse'];

/** How many entries the ledger has, in pages of a hundred. */
export const ENTRIES = 1251;
const PAGE = 100;

const hashOf = (sequence: number) => createHash('sha256').update(String(sequence)).digest('hex');

function entryOf(customerId: string, sequence: number): Entry {
  return {
    id: `00000000-0000-4000-8000-${String(sequence).padStart(12, '0')}`,
    customer_id: customerId,
    sequence,
    kind: 'GRANT',
    amount: 1_00,
    currency: 'USD',
    balance_after: sequence * 100,
    reason: `Grant ${String(sequence)}`,
    actor: 'rita',
    actor_name: 'Rita Sorensen',
    purchase_id: null,
    refund_id: null,
    idempotency_key: `key-${String(sequence)}`,
    previous_hash: hashOf(sequence - 1),
    hash: hashOf(sequence),
    created_at: new Date(Date.UTC(2026, 0, 1) + sequence * 3_600_000).toISOString(),
  };
}

/** Answers the reads of a customer's ledger in place of the API: to grant a customer so often would take minutes. */
export async function withLongLedger(page: Page, customerId: string, before: (cursor: string) => Promise<void> = () => Promise.resolve()): Promise<void> {
  await page.route(`**/v1/customers/${customerId}/credit/entries*`, async (route) => {
    const cursor = new URL(route.request().url()).searchParams.get('cursor') ?? '';
    await before(cursor);
    const newest = cursor === '' ? ENTRIES : Number(cursor);
    const oldest = Math.max(newest - PAGE, 0);
    const items = Array.from({ length: newest - oldest }, (_, index) => entryOf(customerId, newest - index));
    await route.fulfill({ json: { items, next_cursor: oldest === 0 ? null : String(oldest) } }).catch(() => undefined);
  });
}
