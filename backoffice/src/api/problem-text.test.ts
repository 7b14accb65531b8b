import { describe, expect, it } from 'vitest';

import { Problem } from './problem.ts';
import { problemText } from './problem-text.ts';

const problem = (status: number, slug: string, detail: string, extras: object = {}) =>
  Problem.ofAnswer(status, { type: `urn:problem-type:till:${slug}`, title: 'A title', detail, ...extras });

describe('a problem for a rep', () => {
  it.each([
    [401, 'not-authenticated', 'Send an access token of this API’s issuer that has not expired: Authorization: Bearer <token>.'],
    [403, 'not-allowed', 'None of the token’s roles allows this operation; in GET /openapi.json its security says which do. Nothing was changed.'],
    [429, 'too-many-requests', 'Send the same request again in a moment. Nothing was changed.'],
    [412, 'stale-version', 'Read it again, and send its ETag as If-Match. Nothing was changed.'],
    [409, 'refund-amount-changed', 'It comes to 5.00 USD now, not 6.00 USD. To refund that, send it as expected_amount. Nothing was changed.'],
    [500, 'internal-error', 'Send the same request again with the same Idempotency-Key: it takes effect at most once.'],
    [503, 'busy', 'Send the same request again, with the same Idempotency-Key if it has one.'],
    [504, 'no-answer-in-time', 'Send the same request again with the same Idempotency-Key.'],
  ])('%i %s says nothing about requests and headers', (status, slug, detail) => {
    const text = problemText(problem(status, slug, detail));
    expect(text).not.toBe('');
    expect(text).not.toMatch(/Bearer|token|ETag|If-Match|expected_amount|Idempotency-Key|openapi|request|Nothing was changed/);
  });

  it('says the amount that a refund has now', () => {
    const changed = problem(409, 'refund-amount-changed', '', { amount: 500, expected_amount: 600, currency: 'USD' });
    expect(problemText(changed, 'change')).toBe('The refund is $5.00 now. Check the new amount, then confirm again. Nothing was changed.');
  });

  it('says that nothing was changed only where that is certain', () => {
    expect(problemText(problem(429, 'too-many-requests', ''), 'change')).toMatch(/Nothing was changed\.$/);
    expect(problemText(problem(503, 'busy', ''), 'change')).not.toMatch(/Nothing was changed/);
  });

  it('is told in the words of the API for all other types', () => {
    expect(problemText(problem(409, 'insufficient-credit', '1.00 USD are available. Nothing was changed.'), 'change')).toBe(
      '$1.00 are available. Nothing was changed.',
    );
    expect(problemText(problem(409, 'constructor', 'Kept.'))).toBe('Kept.');
  });
});
