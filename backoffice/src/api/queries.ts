import { keepPreviousData, useInfiniteQuery, useQuery, type UseQueryResult } from '@tanstack/react-query';

import { LARGEST_PAGE } from '../limits.ts';
import { type Api, unwrap, useApi } from './client.ts';
import { isWorthRetrying } from './query-client.ts';
import type { operations } from './schema.d.ts';
import type { AttemptState, PromoState, PurchaseStatus, SignedStatement } from './types.ts';

/** How many rows a page of a list has. */
export const PAGE_SIZE = 25;

/**
 * The keys of all queries. A shorter key holds the longer ones: invalidating `customer(id)` is enough for the
 * balance, the ledger and the purchases of a customer.
 */
export const keys = {
  customers: ['customers'],
  customerList: ['customers', 'list'],
  customer: (customerId: string) => ['customers', 'one', customerId],
  credit: (customerId: string) => ['customers', 'one', customerId, 'credit'],
  ledger: (customerId: string) => ['customers', 'one', customerId, 'entries'],
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

export interface CustomerPurchaseFilters extends Cursor {
  readonly status?: PurchaseStatus | undefined;
}

interface StatementFilters extends Pick<Cursor, 'cursor'> {
  /** ISO instants; from is included, to is not. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The reads as plain functions, for an export of all pages (`everyPage`). */
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
  customers: (api: Api, filters: Cursor, signal?: AbortSignal) => {
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
  statement: async (api: Api, customerId: string, filters: StatementFilters, signal?: AbortSignal): Promise<SignedStatement> => {
    const query: Query<'get_statement'> = present(filters);
    const path = { customer_id: customerId };
    const page = await unwrap(api.GET('/customers/{customer_id}/credit/statement', { params: { path, query }, signal: signal ?? null }));
    if (typeof page === 'string') throw new TypeError('CSV comes only to those who ask for it');
    return page;
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

/** The known customers, the newest account first, as far as they were asked for (`fetchNextPage`). */
export function useKnownCustomers() {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: keys.customerList,
    queryFn: ({ pageParam, signal }) => read.customers(api, { cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.items),
  });
}

/** A customer as the upstream has them now. */
export function useCustomer(customerId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.customer(customerId),
    queryFn: ({ signal }) => unwrap(api.GET('/customers/{customer_id}', { params: { path: { customer_id: customerId } }, signal })),
    // A name and addresses; what is read again with each look is the money.
    staleTime: 5 * 60_000,
  });
}

/** Posted, held and available, and how far that was verified. */
export function useCredit(customerId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.credit(customerId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/customers/{customer_id}/credit', {
          params: { path: { customer_id: customerId }, query: { verification: true } },
          signal,
        }),
      ),
  });
}

/** A page of the ledger, newest first. The chart of the balance shows the first page, with the same read. */
export function useEntries(customerId: string, cursor?: string) {
  const filters = { limit: LARGEST_PAGE, cursor };
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

/** How the work list of unknown outcomes is read: one query for all places that show or count it. */
export const UNKNOWN_ATTEMPTS: AttemptFilters = { state: 'UNKNOWN', limit: LARGEST_PAGE };

const QUEUE_EVERY_MS = 60_000;

/** How many attempts wait for a decision: "3", or "100+". Read again each minute, also in a tab in the background. */
export function useUnknownCount(): string | undefined {
  const api = useApi();
  return useQuery({
    queryKey: keys.attemptList('UNKNOWN/', UNKNOWN_ATTEMPTS),
    queryFn: ({ signal }) => read.attempts(api, UNKNOWN_ATTEMPTS, signal),
    refetchInterval: QUEUE_EVERY_MS,
    refetchIntervalInBackground: true,
    select: countOf,
  }).data;
}

/** How many items a list has: its first page, and whether there are more. */
export function countOf({ items, next_cursor }: CursorPage<unknown>): string {
  return `${items.length}${next_cursor === null ? '' : '+'}`;
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

/** The pauses before an export asks again for a page that it did not get. */
const PAUSES_MS = [1000, 2000, 4000, 8000] as const;

/** Asks until there is an answer, a refusal, or no pause left. */
async function patiently<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await ask();
    } catch (error) {
      if (!isWorthRetrying(error)) throw error;
    }
    await wait(pause, signal);
  }
  return ask();
}

/** Waits; an abort ends it with an error. */
function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException('The export was cancelled.', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

/**
 * The pages of a list, one after the other: for an export. The next one is asked for when the one before was used, and
 * again after a pause where the API was too busy or could not be reached.
 */
export async function* everyPage<Page extends { readonly next_cursor: string | null }>(
  page: (cursor: string | undefined) => Promise<Page>,
  signal?: AbortSignal,
): AsyncGenerator<Page> {
  let cursor: string | undefined;
  do {
    signal?.throwIfAborted();
    const from = cursor;
    const read = await patiently(() => page(from), signal);
    yield read;
    cursor = read.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** A query's answer as the states of a page need it. */
export type Reading<T> = Pick<UseQueryResult<T>, 'data' | 'error' | 'isPending' | 'isFetching' | 'refetch'>;
