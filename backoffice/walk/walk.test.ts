import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';

import { type Api, makeApi, unwrap } from '../src/api/client.ts';
import { Problem } from '../src/api/problem.ts';

/** What the test that starts this tells: see tests/integration/test_clients.py. */
function told(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

function as(token: string): Api {
  return makeApi(told('WALK_ORIGIN'), { accessToken: () => token, renew: () => Promise.resolve(undefined) });
}

async function problemOf(answer: Promise<unknown>): Promise<Problem> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

it('walks through the README', async () => {
  const customer = as(told('WALK_CUSTOMER_TOKEN'));
  const rep = as(told('WALK_REP_TOKEN'));
  const path = { customer_id: told('WALK_CUSTOMER') };
  const product_id = told('WALK_PRODUCT');

  const balance = await unwrap(customer.GET('/customers/{customer_id}/credit', { params: { path } }));
  expect(balance).toMatchObject({ posted: 4000, held: 0, available: 4000, version: 1 });

  const key = randomUUID();
  const buy = (quantity: number, idempotencyKey: string) =>
    unwrap(
      customer.POST('/customers/{customer_id}/purchases', {
        params: { path, header: { 'Idempotency-Key': idempotencyKey } },
        body: { product_id, quantity },
      }),
    );
  const purchase = await buy(2, key);
  expect(purchase).toMatchObject({ total: 2500, refundable: 2500, status: 'COMPLETED', promo_discount: null });
  expect(await buy(2, key)).toEqual(purchase);

  const refund = await unwrap(
    rep.POST('/purchases/{purchase_id}/refunds', {
      params: { path: { purchase_id: purchase.id }, header: { 'Idempotency-Key': randomUUID() } },
      body: { amount: 1000, reason: 'Scratched\non both sides' },
    }),
  );
  expect(refund).toMatchObject({ refundable: 1500, balance_after: 2500, reason: 'Scratched\non both sides' });

  const tooMuch = await problemOf(buy(200, randomUUID()));
  expect(tooMuch.slug).toBe('insufficient-credit');
  expect(tooMuch.numberOf('available')).toBe(2500);

  const entries = await unwrap(
    customer.GET('/customers/{customer_id}/credit/entries', { params: { path, query: { limit: 1 } } }),
  );
  expect(entries.items.map(({ kind, amount }) => [kind, amount])).toEqual([['REFUND', 1000]]);
  expect(entries.next_cursor).not.toBeNull();

  const another = await problemOf(
    unwrap(customer.GET('/customers/{customer_id}/credit', { params: { path: { customer_id: randomUUID() } } })),
  );
  expect(another.slug).toBe('customer-not-found');
});
