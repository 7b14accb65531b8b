/** The addresses of this application. Ids are escaped: a promo code may hold anything. */
export const places = {
  /** With a query, the header searches for it. */
  customers: (query?: string) => (query === undefined || query === '' ? '/customers' : `/customers?query=${encodeURIComponent(query)}`),
  customer: (customerId: string) => `/customers/${encodeURIComponent(customerId)}`,
  purchases: () => '/purchases',
  purchase: (purchaseId: string) => `/purchases/${encodeURIComponent(purchaseId)}`,
  attempts: () => '/attempts',
  openOrphans: () => '/attempts?orphan=OPEN',
  attempt: (attemptId: string) => `/attempts/${encodeURIComponent(attemptId)}`,
  promoCodes: () => '/promo-codes',
  promoCode: (code: string) => `/promo-codes/${encodeURIComponent(code)}`,
} as const;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Is this an id of Till? */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
