import { describe, expect, it } from 'vitest';

import { components, paths } from '../../docs/openapi.json';
import * as limits from './limits.ts';

const { schemas } = components;

describe('the limits of the API', () => {
  it.each([schemas.GrantCreditRequest, schemas.DeductCreditRequest, schemas.CreateRefundRequest, schemas.ResolveAttemptRequest, schemas.CloseOrphanShipmentRequest])(
    'include the length of the reason in %#',
    ({ properties }) => {
      expect(properties.reason.maxLength).toBe(limits.LONGEST_REASON);
    },
  );

  it('include the length of a search', () => {
    const parameter = paths['/search'].get.parameters.find(({ name }) => name === 'query');
    expect(parameter?.schema).toMatchObject({ minLength: limits.SHORTEST_QUERY, maxLength: limits.LONGEST_QUERY });
  });

  it('include the length of identifiers', () => {
    expect(JSON.stringify(schemas.ResolveAttemptRequest.properties.shipment_id)).toContain(`{1,${limits.LONGEST_SHIPMENT_ID}}`);
    expect(schemas.CreatePromoCodeRequest.properties.code.pattern).toContain(`,${limits.LONGEST_PROMO_CODE}}`);
  });

  it('include the size of a page', () => {
    const operations = Object.values(paths).flatMap((path) => ('get' in path ? [path.get] : []));
    const sizes = operations.flatMap((operation) =>
      'parameters' in operation ? operation.parameters.flatMap(({ name, schema }) => (name === 'limit' && 'maximum' in schema ? [schema.maximum] : [])) : [],
    );
    expect(new Set(sizes)).toEqual(new Set([limits.LARGEST_PAGE]));
  });

  it('include amounts', () => {
    expect(schemas.GrantCreditRequest.properties.amount.maximum).toBe(limits.LARGEST_AMOUNT);
  });

  it('include the restrictions of a promo code', () => {
    const { product_ids, customer_ids, max_redemptions } = schemas.CreatePromoCodeRequest.properties;
    const all = JSON.stringify([product_ids, customer_ids]).match(/"maxItems":\d+/g);
    expect(new Set(all)).toEqual(new Set([`"maxItems":${limits.MOST_IDS}`]));
    expect(JSON.stringify(max_redemptions)).toContain(`"maximum":${limits.MOST_REDEMPTIONS}`);
  });
});
