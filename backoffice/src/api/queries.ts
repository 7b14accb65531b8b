import { keepPreviousData, useInfiniteQuery, useQuery, type UseQueryResult } from '@tanstack/react-query';

import { type Api, unwrap, useApi } from './client.ts';
import type { operations } from './schema.d.ts';
import type { AttemptState, PromoState, PurchaseStatus } from './types.ts';

/** How many rows a page of a list has. */
export const PAGE_SIZE = 25;

/**
 * The keys of all queries. A shorter key holds the longer ones: invalidating `customer(id)` is enough for the
 * balance, the ledger and the purchases of a customer.
 */
export const keys = {
  customers: ['customers'],
  customerList: (filters: object) => ['customers', 'list', filters],
  customer: (customerId: string) => ['customers', 'one', customerId],
  credit: (customerId: string) => ['customers', 'one', customerId, 'credit'],
  entries: (customerId: string, filters: object) => ['customers', 'one', customerId, 'entries', filters],
  customerPurchases: (customerId: string, filters: object) => ['customers', 'one', customerId, 'purchases', filters],
  product: (productId: string) => ['products', productId],
  purchases: ['purchases'],
  purchaseList: (filters: object) => ['purchases', 'list', filters],
  purchase: (purchaseId: string) => ['purchases', 'one', purchaseId],
  refunds: (purchaseId: string, filters: object) => ['purchases', 'one', purchaseId, 'refunds', filters],
  refundQuotes: (purchaseId: string) => ['purchases', 'one', purchaseId, 'refund-quotes'],
  attempts: ['attempts'],
  attemptList: (list: string, filters: object) => ['attempts', 'list', list, filters],
  attempt: (attemptId: string) => ['attempts', 'one', attemptId],
  promoCodes: ['promo-codes'],
  promoCodeList: (filters: object) => ['promo-codes', 'list', filters],
  promoCode: (code: string) => ['promo-codes', 'one', code],
} as const;

type Query<Operation extends keyof operations> = operations[Operation]['parameters'] extends { query?: infer Q }
  ? NonNullable<Q>
  : never;

/** Leaves out what is not set: an absent parameter, not an empty one. */
function present<T extends object>(filters: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined && value !== '')) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

interface Cursor {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface PurchaseFilters extends Cursor {
  readonly status?: PurchaseStatus | undefined;
  /** ISO instants; from is included, to is not. */
  readonly createdFrom?: string | undefined;
  readonly createdTo?: string | undefined;
  /** The carrier's id: the one purchase of that shipment, whatever the other filters say. */
  readonly shipmentId?: string | undefined;
}

export interface AttemptFilters extends Cursor {
  readonly state?: AttemptState | undefined;
  /** Only voided attempts whose parcel may exist and that no person has closed. */
  readonly orphan?: 'OPEN' | undefined;
}

export interface PromoCodeFilters extends Cursor {
  readonly state?: PromoState | undefined;
}

export interface CustomerFilters extends Cursor {
  /** Part of a name or e-mail, 2 to 100 characters. */
  readonly query?: string | undefined;
}

export interface CustomerPurchaseFilters extends Cursor {
  readonly status?: PurchaseStatus | undefined;
}

/** The reads as plain functions, for a CSV export that walks all pages (`everyPage`). */
export const read = {
  purchases: (api: Api, { status, createdFrom, createdTo, shipmentId, limit, cursor }: PurchaseFilters, signal?: AbortSignal) => {
    const query: Query<'list_purchases'> = present({
      status,
      created_from: createdFrom,
      created_to: createdTo,
      shipment_id: shipmentId,
      include: 'customer_names' as const,
      limit: limit ?? PAGE_SIZE,
      cursor,
    });
    return unwrap(api.GET('/purchases', { params: { query }, signal: signal ?? null }));
  },
  customers: (api: Api, filters: CustomerFilters, signal?: AbortSignal) => {
    const query: Query<'list_customers'> = present({ limit: PAGE_SIZE, ...filters });
    return unwrap(api.GET('/customers', { params: { query }, signal: signal ?? null }));
  },
  customerPurchases: (api: Api, customerId: string, filters: CustomerPurchaseFilters, signal?: AbortSignal) => {
    const query: Query<'list_customer_purchases'> = present({ limit: PAGE_SIZE, ...filters });
    return unwrap(
      api.GET('/customers/{customer_id}/purchases', {
        params: { path: { customer_id: customerId }, query },
        signal: signal ?? null,
      }),
    );
  },
  entries: (api: Api, customerId: string, filters: Cursor, signal?: AbortSignal) => {
    const query: Query<'list_entries'> = present({ limit: PAGE_SIZE, ...filters });
    return unwrap(
      api.GET('/customers/{customer_id}/credit/entries', {
        params: { path: { customer_id: customerId }, query },
        signal: signal ?? null,
      }),
    );
  },
  refunds: (api: Api, purchaseId: string, filters: Cursor, signal?: AbortSignal) => {
    const query: Query<'list_refunds'> = present({ limit: PAGE_SIZE, ...filters });
    return unwrap(
      api.GET('/purchases/{purchase_id}/refunds', { params: { path: { purchase_id: purchaseId }, query }, signal: signal ?? null }),
    );
  },
  attempts: (api: Api, filters: AttemptFilters, signal?: AbortSignal) => {
    const query: Query<'list_attempts'> = present({ limit: PAGE_SIZE, ...filters, include: 'customer_names' as const });
    return unwrap(api.GET('/purchase-attempts', { params: { query }, signal: signal ?? null }));
  },
  promoCodes: (api: Api, filters: PromoCodeFilters, signal?: AbortSignal) => {
    const query: Query<'list_promo_codes'> = present({ limit: PAGE_SIZE, ...filters });
    return unwrap(api.GET('/promo-codes', { params: { query }, signal: signal ?? null }));
  },
} as const;

/**
 * The known customers that match, the newest account first, as far as they were asked for (`fetchNextPage`).
 *
 * With a query, a page looks at a bounded number of customers: it may hold few, or none, and not be the last.
 */
export function useKnownCustomers(query: string) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: keys.customerList({ query }),
    queryFn: ({ pageParam, signal }) => read.customers(api, { query, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => ({ items: pages.flatMap((page) => page.items), looks: pages.length }),
    placeholderData: keepPreviousData,
  });
}

/** A customer as the upstream has them now. */
export function useCustomer(customerId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.customer(customerId),
    queryFn: ({ signal }) => unwrap(api.GET('/customers/{customer_id}', { params: { path: { customer_id: customerId } }, signal })),
  });
}

/** Posted, held and available. */
export function useCredit(customerId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.credit(customerId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/customers/{customer_id}/credit', { params: { path: { customer_id: customerId } }, signal })),
  });
}

/** A page of the ledger, newest first. */
export function useEntries(customerId: string, filters: Cursor) {
  const api = useApi();
  return useQuery({
    queryKey: keys.entries(customerId, filters),
    queryFn: ({ signal }) => read.entries(api, customerId, filters, signal),
    placeholderData: (previous, query) => (query?.queryKey[2] === customerId ? previous : undefined),
  });
}

/** A page of one customer's purchases, newest first. */
export function useCustomerPurchases(customerId: string, filters: CustomerPurchaseFilters) {
  const api = useApi();
  return useQuery({
    queryKey: keys.customerPurchases(customerId, filters),
    queryFn: ({ signal }) => read.customerPurchases(api, customerId, filters, signal),
    placeholderData: (previous, query) => (query?.queryKey[2] === customerId ? previous : undefined),
  });
}

/** A page of everybody's purchases, newest first, with the customers' names. */
export function usePurchases(filters: PurchaseFilters) {
  const api = useApi();
  return useQuery({
    queryKey: keys.purchaseList(filters),
    queryFn: ({ signal }) => read.purchases(api, filters, signal),
    placeholderData: keepPreviousData,
  });
}

/** A purchase as it was sold. */
export function usePurchase(purchaseId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.purchase(purchaseId),
    queryFn: ({ signal }) => unwrap(api.GET('/purchases/{purchase_id}', { params: { path: { purchase_id: purchaseId } }, signal })),
  });
}

/** A page of a purchase's refunds. */
export function useRefunds(purchaseId: string, filters: Cursor = {}) {
  const api = useApi();
  return useQuery({
    queryKey: keys.refunds(purchaseId, filters),
    queryFn: ({ signal }) => read.refunds(api, purchaseId, filters, signal),
  });
}

/** A page of attempts, with the customers' names. The page before stays meanwhile, but not that of another list. */
export function useAttempts(filters: AttemptFilters) {
  const api = useApi();
  const list = `${filters.state ?? ''}/${filters.orphan ?? ''}`;
  return useQuery({
    queryKey: keys.attemptList(list, filters),
    queryFn: ({ signal }) => read.attempts(api, filters, signal),
    placeholderData: (previous, query) => (query?.queryKey[2] === list ? previous : undefined),
  });
}

/** An attempt: what was tried, what the carrier said, until when. */
export function useAttempt(attemptId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.attempt(attemptId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/purchase-attempts/{attempt_id}', { params: { path: { attempt_id: attemptId } }, signal })),
  });
}

/** A page of promo codes. */
export function usePromoCodes(filters: PromoCodeFilters) {
  const api = useApi();
  return useQuery({
    queryKey: keys.promoCodeList(filters),
    queryFn: ({ signal }) => read.promoCodes(api, filters, signal),
    placeholderData: keepPreviousData,
  });
}

/** A promo code with its history; a change names its version (`ifMatch`). */
export function usePromoCode(code: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.promoCode(code),
    queryFn: ({ signal }) => unwrap(api.GET('/promo-codes/{code}', { params: { path: { code } }, signal })),
  });
}

/** A page of a cursor list. */
export interface CursorPage<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** All items of a list, page after page: for an export. Stops when the signal does. */
export async function everyItem<T>(
  page: (cursor: string | undefined) => Promise<CursorPage<T>>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (count: number) => void } = {},
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    options.signal?.throwIfAborted();
    const { items: more, next_cursor } = await page(cursor);
    items.push(...more);
    options.onProgress?.(items.length);
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

/** A query's answer as the states of a page need it. */
export type Reading<T> = Pick<UseQueryResult<T>, 'data' | 'error' | 'isPending' | 'isFetching' | 'refetch'>;
