import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect } from '@playwright/test';

import type { components } from '../src/api/schema.d.ts';

type Schemas = components['schemas'];
type Role = 'customer' | 'support' | 'admin' | 'service';

const ROOT = resolve(import.meta.dirname, '../..');

interface Endpoints {
  readonly api_url: string;
  readonly upstream_url: string;
  readonly aws_endpoint_url: string;
  readonly region: string;
  readonly function_prefix: string;
  readonly tokens: Readonly<Record<Role, string>>;
}

function endpoints(): Endpoints {
  const path = process.env['TILL_ENDPOINTS'];
  if (path === undefined || path === '') throw new Error('TILL_ENDPOINTS is not set: it names the endpoints.json of the running system');
  return JSON.parse(readFileSync(path, 'utf8')) as Endpoints;
}

/** Calls the API itself, past the application: how others move what a rep then looks at. */
async function call<T>(role: Role, method: 'GET' | 'POST', path: string, body?: unknown): Promise<{ status: number; body: T }> {
  const { api_url: api, tokens } = endpoints();
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { Authorization: `Bearer ${tokens[role]}`, 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

/** Tells the stand-in for the external APIs something, by its control interface. */
async function control(method: 'PUT' | 'DELETE', path: string, body?: unknown): Promise<void> {
  const base = endpoints().upstream_url.replace(/\/api$/, '/_control');
  const response = await fetch(`${base}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`the stand-in answered ${String(response.status)}: ${await response.text()}`);
}

/** Customers with one first name whom only the search's index knows. */
export function fillIndex(howMany: number, firstName: string): void {
  const { TILL_PYTHON: python = 'python3', TILL_ENDPOINTS: path = '' } = process.env;
  execFileSync(python, ['-m', 'benchmarks.many_customers', path, String(howMany), firstName], { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PYTHONPATH: 'layers/till/python:.' } });
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export interface Goods {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
}

/** A customer of the test's own, at the Customer API; with credit (cents) also at ours. */
export async function aCustomer(name: string, credit = 0, reason?: string, registered = new Date()): Promise<Person> {
  const id = randomUUID();
  const email = `${name.toLowerCase().replaceAll(/[^a-z]+/g, '.')}.${id.slice(0, 8)}@example.com`;
  const address = { line1: '7 Quay Street', city: 'Portland', postalCode: '97205', state: 'OR', country: 'US' };
  const now = registered.getTime();
  await control('PUT', `/customers/${id}`, {
    id,
    name,
    email,
    billingAddress: address,
    shippingAddress: address,
    createdAt: now,
    lastModifiedAt: now,
  });
  if (credit > 0) await grant(id, credit, reason);
  return { id, name, email };
}

/** A product of the test's own, for a price such as 12.5. */
export async function aProduct(name: string, price: number, description = 'Made for a test.'): Promise<Goods> {
  const id = randomUUID();
  const sku = `E2E-${id.slice(0, 8)}`;
  const now = Date.now();
  await control('PUT', `/products/${id}`, { id, sku, name, description, price, createdAt: now, lastModifiedAt: now });
  return { id, sku, name };
}

export async function grant(customerId: string, amount: number, reason = 'Made for a test'): Promise<void> {
  const answer = await call('admin', 'POST', `/customers/${customerId}/credit/grants`, { amount, reason });
  if (answer.status !== 201) throw new Error(`the grant was answered with ${String(answer.status)}`);
}

export async function buy(customerId: string, productId: string, quantity = 1): Promise<Schemas['PurchaseResponse']> {
  const answer = await call<Schemas['PurchaseResponse']>('service', 'POST', `/customers/${customerId}/purchases`, {
    product_id: productId,
    quantity,
  });
  if (answer.status !== 201) throw new Error(`the purchase was answered with ${String(answer.status)}`);
  return answer.body;
}

export async function refund(purchaseId: string, extent: { amount: number } | { quantity: number }, reason: string): Promise<void> {
  const answer = await call('support', 'POST', `/purchases/${purchaseId}/refunds`, { ...extent, reason });
  if (answer.status !== 201) throw new Error(`the refund was answered with ${String(answer.status)}`);
}

/** A purchase of unknown outcome: the carrier says that it timed out. Gives back the attempt's id. */
export async function buyIntoTheUnknown(customerId: string, goods: Goods): Promise<string> {
  await control('PUT', `/shipments/${encodeURIComponent(goods.sku)}/behaviour`, { answer: { kind: 'refuse', status: 504 } });
  const answer = await call<Schemas['ProblemResponse']>('service', 'POST', `/customers/${customerId}/purchases`, {
    product_id: goods.id,
    quantity: 1,
  });
  const { attempt_id: attempt } = answer.body;
  if (answer.status !== 504 || attempt === null || attempt === undefined) {
    throw new Error(`a purchase of unknown outcome was answered with ${String(answer.status)}`);
  }
  return attempt;
}

/** Calls the Lambda API of the emulator, which looks at the region of a signature and at nothing else of it. */
async function lambda<T>(method: 'GET' | 'PUT' | 'POST', operation: string, action: string, body?: unknown): Promise<T> {
  const { aws_endpoint_url: aws, region, function_prefix: prefix } = endpoints();
  const response = await fetch(`${aws}/2015-03-31/functions/${prefix}${operation}/${action}`, {
    method,
    headers: {
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/lambda/aws4_request, SignedHeaders=host, Signature=0`,
      'Content-Type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok || response.headers.has('X-Amz-Function-Error')) {
    throw new Error(`${action} of ${operation} was answered with ${String(response.status)}: ${text}`);
  }
  return JSON.parse(text) as T;
}

type Variables = Readonly<Record<string, string>>;

interface Configuration {
  readonly Environment: { readonly Variables: Variables };
  readonly LastUpdateStatus: string;
}

const configurationOf = (operation: string) => lambda<Configuration>('GET', operation, 'configuration');

async function configure(operation: string, variables: Variables): Promise<void> {
  await lambda('PUT', operation, 'configuration', { Environment: { Variables: variables } });
  await expect.poll(async () => (await configurationOf(operation)).LastUpdateStatus).toBe('Successful');
}

/** Does something while attempts of unknown outcome are voided a second after they became unknown. */
async function withShortDeadline<T>(action: () => Promise<T>): Promise<T> {
  const { Variables: before } = (await configurationOf('create-purchase')).Environment;
  await configure('create-purchase', { ...before, TILL_UNKNOWN_DEADLINE_SECONDS: '1' });
  try {
    return await action();
  } finally {
    await configure('create-purchase', before);
  }
}

/** An attempt that was voided at its deadline: its parcel may exist. Gives back the attempt's id. */
export async function anOpenOrphan(customerId: string, goods: Goods): Promise<string> {
  const attempt = await withShortDeadline(() => buyIntoTheUnknown(customerId, goods));
  await expect
    .poll(
      async () => {
        await lambda('POST', 'recover-attempts', 'invocations', {});
        return (await attemptOf(attempt)).orphan?.status;
      },
      { message: 'the recovery voids the attempt at its deadline', timeout: 30_000 },
    )
    .toBe('OPEN');
  return attempt;
}

export async function attemptOf(attemptId: string): Promise<Schemas['AttemptResponse']> {
  return (await call<Schemas['AttemptResponse']>('support', 'GET', `/purchase-attempts/${attemptId}`)).body;
}

export async function balanceOf(customerId: string): Promise<Schemas['BalanceResponse']> {
  return (await call<Schemas['BalanceResponse']>('admin', 'GET', `/customers/${customerId}/credit`)).body;
}

/** A promo code of the test's own, ten per cent off. */
export async function aPromoCode(): Promise<string> {
  const code = `E2E-${randomUUID().slice(0, 8).toUpperCase()}`;
  const answer = await call('admin', 'POST', '/promo-codes', { code, discount: { type: 'percentage', percent: 10 } });
  if (answer.status !== 201) throw new Error(`the promo code was answered with ${String(answer.status)}`);
  return code;
}
