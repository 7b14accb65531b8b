/** Limits of the API that forms check before they send. The test compares each with docs/openapi.json. */

/** Characters. */
export const LONGEST_REASON = 500;
export const SHORTEST_QUERY = 2;
export const LONGEST_QUERY = 100;
export const LONGEST_SHIPMENT_ID = 255;
export const LONGEST_PROMO_CODE = 32;

/** Items in a page of any list. */
export const LARGEST_PAGE = 100;

/** In minor units. */
export const LARGEST_AMOUNT = 100_000_000_000;

/** Of a promo code: products or customers that it is restricted to, and redemptions. */
export const MOST_IDS = 100;
export const MOST_REDEMPTIONS = 1_000_000_000;
