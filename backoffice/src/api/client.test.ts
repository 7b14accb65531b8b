import { afterEach, describe, expect, it, vi } from 'vitest';

import { CUSTOMER_ID, aCredit } from '../test/examples.ts';
import { noAnswer, on, problem, server } from '../test/server.ts';
import { http, HttpResponse } from 'msw';

import { type Access, ifMatch, makeApi, unwrap } from './client.ts';
import { makeQueryClient } from './query-client.ts';
import { Problem } from './problem.ts';
import { everyPage } from './queries.ts';

const readCredit = (access: Partial<Access> = {}, signal?: AbortSignal) =>
  unwrap(
    makeApi(window.location.origin, { accessToken: () => 'old', renew: () => Promise.resolve(undefined), ...access }).GET(
      '/customers/{customer_id}/credit',
      { params: { path: { customer_id: CUSTOMER_ID } }, signal: signal ?? null },
    ),
  );

const problemOf = async (promise: Promise<unknown>): Promise<Problem> => {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw new Error(`not a problem: ${String(error)}`);
  return error;
};

describe('the client', () => {
  it('sends the token, and gives what was asked for', async () => {
    server.use(
      on('get', '/customers/{customer_id}/credit', ({ params, headers }) => {
        expect(headers.get('Authorization')).toBe('Bearer old');
        return aCredit({ customer_id: params['customer_id'] ?? '' });
      }),
    );
    expect(await readCredit()).toEqual(aCredit());
  });

  it('fails as one that had no answer when the token cannot be renewed for lack of a connection', async () => {
    server.use(on('get', '/customers/{customer_id}/credit', () => problem(401, 'not-authenticated', 'Not authenticated', 'The token has expired.')));
    const renew = () => Promise.reject(new Error('Network timed out'));
    const api = makeApi(window.location.origin, { accessToken: () => 'old', renew });
    const seen = await problemOf(unwrap(api.GET('/customers/{customer_id}/credit', { params: { path: { customer_id: CUSTOMER_ID } } })));
    expect(seen).toMatchObject({ slug: 'no-answer', status: 0 });
  });

  it('renews a refused token once, and sends the same again', async () => {
    const seen: (string | null)[] = [];
    const renew = vi.fn(() => Promise.resolve('new'));
    server.use(
      on('post', '/customers/{customer_id}/credit/grants', ({ headers, body, idempotencyKey }) => {
        seen.push(`${headers.get('Authorization')} ${idempotencyKey} ${body.reason}`);
        return problem(401, 'not-authenticated', 'Not authenticated', 'The token has expired.');
      }),
    );
    const api = makeApi(window.location.origin, { accessToken: () => 'old', renew });
    const problemSeen = await problemOf(
      unwrap(
        api.POST('/customers/{customer_id}/credit/grants', {
          params: { path: { customer_id: CUSTOMER_ID }, header: { 'Idempotency-Key': 'k' } },
          body: { amount: 1, reason: 'Sorry' },
        }),
      ),
    );
    expect(problemSeen.status).toBe(401);
    expect(renew).toHaveBeenCalledExactlyOnceWith('old');
    expect(seen).toEqual(['Bearer old k Sorry', 'Bearer new k Sorry']);
  });

  it('tells the problem of the document', async () => {
    server.use(
      on('get', '/customers/{customer_id}/credit', () =>
        problem(409, 'insufficient-credit', 'Not enough credit', '25.00 USD are available.', {
          available: 2500,
          currency: 'USD',
          errors: [{ field: 'amount', message: 'too large' }, 'not one'],
        }),
      ),
    );
    const seen = await problemOf(readCredit());
    expect(seen).toMatchObject({
      slug: 'insufficient-credit',
      title: 'Not enough credit',
      status: 409,
      // In the rep's format: the document has 25.00 USD.
      detail: '$25.00 are available.',
      correlationId: 'correlation-of-insufficient-credit',
      errors: [{ field: 'amount', message: 'too large' }],
      isUncertain: false,
    });
    expect(seen.numberOf('available')).toBe(2500);
    expect(seen.textOf('currency')).toBe('USD');
    expect(seen.errorOf('amount')).toBe('too large');
    expect(seen.errorOf('reason')).toBeUndefined();
  });

  it('makes a problem of a broken connection', async () => {
    server.use(on('get', '/customers/{customer_id}/credit', () => noAnswer()));
    expect(await problemOf(readCredit())).toMatchObject({ slug: 'no-answer', status: 0, isUncertain: true });
  });

  it.each([
    ['an HTML page with 502', 502, { title: 'The server failed', status: 502, isUncertain: true }],
    ['an HTML page with 200', 200, { slug: 'unreadable-answer', status: 0, isUncertain: true }],
    ['an HTML page with 403', 403, { title: 'Not allowed', status: 403, isUncertain: false }],
  ])('makes a problem of %s', async (_what, status, expected) => {
    server.use(http.get('*/v1/*', () => HttpResponse.html('<h1>Bad gateway</h1>', { status })));
    expect(await problemOf(readCredit())).toMatchObject(expected);
  });

  it('makes no problem of a request that was cancelled', async () => {
    const controller = new AbortController();
    server.use(
      on('get', '/customers/{customer_id}/credit', () => {
        controller.abort();
        return new Promise<never>(() => {});
      }),
    );
    await expect(readCredit({}, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('reads', () => {
  const retry = makeQueryClient().getDefaultOptions().queries?.retry;
  const retries = (failures: number, error: Error) => (typeof retry === 'function' ? retry(failures, error) : undefined);

  it.each([
    [0, Problem.noAnswer(null), true],
    [1, Problem.ofAnswer(503, null), true],
    [0, Problem.ofAnswer(429, null), true],
    [2, Problem.ofAnswer(503, null), false],
    [0, Problem.ofAnswer(404, null), false],
    [0, Problem.ofAnswer(403, null), false],
    [0, new Error('a mistake of ours'), false],
  ])('after %i failures, %o is tried again: %s', (failures, error, again) => {
    expect(retries(failures, error)).toBe(again);
  });

  const pages: Readonly<Record<string, { readonly items: readonly number[]; readonly next_cursor: string | null }>> = {
    first: { items: [1], next_cursor: 'second' },
    second: { items: [], next_cursor: 'third' },
    third: { items: [2, 3], next_cursor: 'fourth' },
    fourth: { items: [4], next_cursor: null },
  };
  const page = (cursor: string | undefined) => Promise.resolve(pages[cursor ?? 'first'] ?? { items: [], next_cursor: null });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('walk all pages for an export, each when the one before was used', async () => {
    const asked: string[] = [];
    const walk = everyPage((cursor) => {
      asked.push(cursor ?? 'first');
      return page(cursor);
    });
    expect((await walk.next()).value).toEqual(pages['first']);
    expect(asked).toEqual(['first']);
    const rest: number[] = [];
    for await (const { items } of walk) rest.push(...items);
    expect(rest).toEqual([2, 3, 4]);
    await expect(everyPage(page, AbortSignal.abort()).next()).rejects.toThrow();
  });

  it.each([
    ['429', Problem.ofAnswer(429, undefined)],
    ['503', Problem.ofAnswer(503, undefined)],
    ['504', Problem.ofAnswer(504, undefined)],
    ['no answer', Problem.noAnswer(null)],
  ])('ask again for a page of an export after %s, with growing pauses', async (_what, failure) => {
    vi.useFakeTimers();
    const read = vi.fn(page).mockResolvedValueOnce({ items: [1], next_cursor: 'fourth' }).mockRejectedValueOnce(failure).mockRejectedValueOnce(failure);
    const walk = everyPage(read);
    await walk.next();
    const next = walk.next();
    await vi.advanceTimersByTimeAsync(900);
    expect(read).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(read).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(1000);
    expect(read).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await next).value).toEqual(pages['fourth']);
    expect(read.mock.calls.map(([cursor]) => cursor)).toEqual([undefined, 'fourth', 'fourth', 'fourth']);
  });

  it('give an export up after a few tries, immediately after a refusal, and when it is cancelled', async () => {
    vi.useFakeTimers();
    const busy = vi.fn(page).mockRejectedValue(Problem.ofAnswer(503, undefined));
    const failed = expect(everyPage(busy).next()).rejects.toMatchObject({ status: 503 });
    await vi.advanceTimersByTimeAsync(60_000);
    await failed;
    expect(busy).toHaveBeenCalledTimes(5);

    const refused = vi.fn(page).mockRejectedValue(Problem.ofAnswer(403, undefined));
    await expect(everyPage(refused).next()).rejects.toMatchObject({ status: 403 });
    expect(refused).toHaveBeenCalledOnce();

    busy.mockClear();
    const controller = new AbortController();
    const cancelled = expect(everyPage(busy, controller.signal).next()).rejects.toMatchObject({ name: 'AbortError' });
    await vi.advanceTimersByTimeAsync(500);
    controller.abort();
    await cancelled;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(busy).toHaveBeenCalledOnce();
  });
});

describe('If-Match', () => {
  it('is the ETag of a version', () => {
    expect(ifMatch(3)).toBe('"3"');
  });
});
