import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, render, renderHook, screen } from '@testing-library/react';
import type { ReactNode } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { SessionContext } from '../auth/session.ts';
import { makeViewer } from '../auth/viewer.ts';
import { makeSession } from '../test/render-app.tsx';
import { fingerprint } from './intents.ts';
import { useMoneyAction } from './money-action.ts';
import { Problem } from './problem.ts';

interface Payload {
  readonly amount: number;
  readonly reason: string;
}
interface Sent {
  readonly payload: Payload;
  readonly key: string;
  readonly answer: (result: string) => void;
  readonly fail: (error: unknown) => void;
}

const TEN: Payload = { amount: 1000, reason: 'Scratched' };
const TWENTY: Payload = { amount: 2000, reason: 'Scratched' };

const refused = (status: number) => Problem.ofAnswer(status, { type: 'urn:problem-type:till:refused', title: 'Refused', detail: 'No.' });
const lost = () => Problem.noAnswer(new TypeError('Failed to fetch'));

/** A server that answers when the test says so, and the action that sends to it. */
function setUp(scope = 'grant:chiara', owner?: string) {
  const sent: Sent[] = [];
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  const send = (payload: Payload, key: string) =>
    new Promise<string>((answer, fail) => {
      sent.push({ payload, key, answer, fail });
    });
  const session = owner === undefined ? null : makeSession({ session: { viewer: makeViewer(owner, owner, ['support']) } });
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <SessionContext.Provider value={session}>
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    </SessionContext.Provider>
  );
  const mount = (mountedScope = scope) =>
    renderHook(() => useMoneyAction({ scope: mountedScope, send, affects: () => [['customers', 'one', 'chiara']] }), { wrapper });
  const request = (index: number): Sent => {
    const one = sent[index];
    if (one === undefined) throw new Error(`request ${index} was not sent`);
    return one;
  };
  return { sent, request, mount, invalidate, ...mount() };
}

describe('a double click', () => {
  it('in one tick sends one request', async () => {
    const { sent, request, result } = setUp();
    await act(async () => {
      // The very same render, the very same tick: no state could have changed in between.
      const { submit } = result.current;
      const first = submit(TEN);
      const second = submit(TEN);
      const third = submit(TEN);
      expect(sent).toHaveLength(1);
      request(0).answer('done');
      expect(await Promise.all([first, second, third])).toEqual([{ kind: 'done', result: 'done' }, { kind: 'ignored' }, { kind: 'ignored' }]);
    });
    expect(sent).toHaveLength(1);
  });

  it('of real events on a real button sends one request', async () => {
    const sent: string[] = [];
    function Form() {
      const action = useMoneyAction({
        scope: 'grant:chiara',
        send: (_payload: Payload, key) => new Promise<string>(() => sent.push(key)),
        affects: () => [],
      });
      return <button onClick={() => void action.submit(TEN)}>Grant</button>;
    }
    render(
      <QueryClientProvider client={new QueryClient()}>
        <Form />
      </QueryClientProvider>,
    );
    const button = screen.getByRole('button');
    await act(async () => {
      for (let click = 0; click < 10; click += 1) button.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    });
    expect(sent).toHaveLength(1);
  });

  it('with another payload while the first is under way sends nothing either', async () => {
    const { sent, result } = setUp();
    await act(async () => {
      void result.current.submit(TEN);
      expect(await result.current.submit(TWENTY)).toEqual({ kind: 'ignored' });
    });
    expect(sent).toHaveLength(1);
  });

  it('after success sends nothing: done stays done', async () => {
    const { sent, request, result } = setUp();
    await act(async () => {
      const first = result.current.submit(TEN);
      request(0).answer('done');
      await first;
      expect(await result.current.submit(TEN)).toEqual({ kind: 'ignored' });
      expect(await result.current.submit({ reason: 'Scratched', amount: 1000 })).toEqual({ kind: 'ignored' });
    });
    expect(sent).toHaveLength(1);
    expect(result.current).toMatchObject({ status: 'done', result: 'done' });
  });
});

describe('never optimistic', () => {
  it('shows nothing as done, and reads nothing again, before the server has answered', async () => {
    const { request, result, invalidate } = setUp();
    await act(async () => {
      void result.current.submit(TEN);
    });
    expect(result.current).toMatchObject({ status: 'pending', result: null, problem: null });
    expect(invalidate).not.toHaveBeenCalled();
    await act(async () => request(0).answer('done'));
    expect(result.current.status).toBe('done');
    expect(invalidate).toHaveBeenCalledExactlyOnceWith({ queryKey: ['customers', 'one', 'chiara'] });
  });

  it('reads what there is now after an answer that was lost', async () => {
    const { request, result, invalidate } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(0).fail(lost());
      await outcome;
    });
    expect(invalidate).toHaveBeenCalledExactlyOnceWith({ queryKey: ['customers', 'one', 'chiara'] });
  });

  it('reads nothing again after a refusal', async () => {
    const { request, result, invalidate } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(0).fail(refused(409));
      expect(await outcome).toMatchObject({ kind: 'failed', problem: { status: 409 } });
    });
    expect(result.current.status).toBe('failed');
    expect(invalidate).not.toHaveBeenCalled();
  });
});

describe('the idempotency key', () => {
  it('is one of 128 random bits that the API takes', async () => {
    const { request, result } = setUp();
    await act(async () => void result.current.submit(TEN));
    expect(request(0).key).toMatch(/^backoffice-[0-9a-f]{32}$/);
  });

  it.each([
    ['the answer was lost', lost],
    ['the server failed', () => refused(500)],
    ['the gateway timed out', () => refused(504)],
    ['it was refused', () => refused(409)],
    ['too many asked', () => refused(429)],
    ['something else was thrown', () => new Error('a mistake')],
  ])('survives a retry after %s', async (_what, error) => {
    const { sent, request, result } = setUp();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await act(async () => {
        const outcome = result.current.submit(TEN);
        request(attempt).fail(error());
        await outcome;
      });
    }
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((one) => one.key)).size).toBe(1);
  });

  it('is the same for the same content in another order', async () => {
    const { request, result } = setUp();
    await act(async () => {
      const outcome = result.current.submit({ amount: 1000, reason: 'Scratched' });
      request(0).fail(lost());
      await outcome;
      void result.current.submit({ reason: 'Scratched', amount: 1000 });
    });
    expect(request(1).key).toBe(request(0).key);
  });

  it('is another for a changed payload, and the old one again for the old payload', async () => {
    const { request, result } = setUp();
    await act(async () => {
      for (const [index, payload] of [TEN, TWENTY, TEN].entries()) {
        const outcome = result.current.submit(payload);
        request(index).fail(lost());
        await outcome;
      }
    });
    expect(request(1).key).not.toBe(request(0).key);
    // The first may have had its effect; with a new key it would have it twice.
    expect(request(2).key).toBe(request(0).key);
  });

  it('is another for the same payload once the first is done and the form is opened again', async () => {
    const { request, result } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(0).answer('done');
      await outcome;
      result.current.reset();
      void result.current.submit(TEN);
    });
    expect(request(1).key).not.toBe(request(0).key);
  });

  it('is another for the same payload on something else', async () => {
    const { request, result, mount } = setUp();
    const other = mount('grant:dmitri');
    await act(async () => {
      void result.current.submit(TEN);
      void other.result.current.submit(TEN);
    });
    expect(request(1).key).not.toBe(request(0).key);
  });

  it('outlives the dialog when the answer was lost', async () => {
    const { request, result, unmount, mount } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(0).fail(lost());
      await outcome;
    });
    unmount();
    const again = mount();
    await act(async () => void again.result.current.submit(TEN));
    expect(request(1).key).toBe(request(0).key);
  });

  it('outlives a dialog that went away before the answer came', async () => {
    const { request, result, unmount, mount } = setUp();
    await act(async () => void result.current.submit(TEN));
    unmount();
    const again = mount();
    await act(async () => void again.result.current.submit(TEN));
    expect(request(1).key).toBe(request(0).key);
  });
});

describe('the lock', () => {
  it('is released by an error, and a retry may succeed', async () => {
    const { request, result } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(0).fail(lost());
      await outcome;
    });
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(1).answer('done');
      await outcome;
    });
    expect(result.current).toMatchObject({ status: 'done', problem: null, isUncertain: false });
  });

  it('is released when the intent changes', async () => {
    const { sent, request, result } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      request(0).answer('done');
      await outcome;
      void result.current.submit(TWENTY);
    });
    expect(sent.map((one) => one.payload)).toEqual([TEN, TWENTY]);
  });

  it('is not released by a reset while the request is under way', async () => {
    const { sent, request, result } = setUp();
    await act(async () => {
      const outcome = result.current.submit(TEN);
      result.current.reset();
      expect(await result.current.submit(TEN)).toEqual({ kind: 'ignored' });
      request(0).answer('done');
      await outcome;
    });
    expect(sent).toHaveLength(1);
    expect(result.current.status).toBe('done');
  });
});

describe('an unknown outcome', () => {
  const fail = async (set: ReturnType<typeof setUp>, index: number, payload: Payload, error: unknown) => {
    await act(async () => {
      const outcome = set.result.current.submit(payload);
      set.request(index).fail(error);
      await outcome;
    });
  };

  it.each([
    ['a lost answer', lost(), true],
    ['a 500', refused(500), true],
    ['a 504', refused(504), true],
    ['a 409', refused(409), false],
    ['a 422', refused(422), false],
    ['a 403', refused(403), false],
  ])('%s: uncertain is %s', async (_what, error, uncertain) => {
    const set = setUp();
    await fail(set, 0, TEN, error);
    expect(set.result.current.isUncertain).toBe(uncertain);
  });

  it('warns of another payload on top of it, and not of the same', async () => {
    const set = setUp();
    expect(set.result.current.otherTry(TWENTY)).toBeUndefined();
    await fail(set, 0, TEN, lost());
    expect(set.result.current.otherTry(TEN)).toBeUndefined();
    expect(set.result.current.otherTry(TWENTY)).toBeDefined();
    expect(set.result.current.otherTry(undefined)).toBeDefined();
  });

  it('still warns after the form was closed and opened again', async () => {
    const set = setUp();
    await fail(set, 0, TEN, lost());
    set.unmount();
    expect(set.mount().result.current.otherTry(TWENTY)).toBeDefined();
    expect(set.mount('grant:dmitri').result.current.otherTry(TWENTY)).toBeUndefined();
  });

  it('is settled by a success of the same intent', async () => {
    const set = setUp();
    await fail(set, 0, TEN, lost());
    await act(async () => {
      const outcome = set.result.current.submit(TEN);
      set.request(1).answer('done');
      await outcome;
    });
    expect(set.result.current.otherTry(TWENTY)).toBeUndefined();
  });

  it('is settled by a refusal of the same intent, which means that it never happened', async () => {
    const set = setUp();
    await fail(set, 0, TEN, lost());
    await fail(set, 1, TEN, refused(409));
    expect(set.result.current.otherTry(TWENTY)).toBeUndefined();
  });

  it.each([401, 403, 429])('is not settled by a %i, which says nothing about the first try', async (status) => {
    const set = setUp();
    await fail(set, 0, TEN, lost());
    await fail(set, 1, TEN, refused(status));
    expect(set.result.current.otherTry(TWENTY)).toBeDefined();
  });
});

describe('after a reload', () => {
  it('an intent without an answer is offered again, with the same key', async () => {
    const before = setUp('grant:chiara', 'rita');
    await act(async () => void before.result.current.submit(TEN));
    before.unmount();

    // A new page has a new query client, and nothing of the old one's memory.
    const after = setUp('grant:chiara', 'rita');
    const earlier = after.result.current.otherTry(undefined);
    expect(earlier?.payload).toEqual(TEN);
    await act(async () => {
      const outcome = after.result.current.submit(earlier?.payload ?? TWENTY, earlier);
      after.request(0).answer('done');
      await outcome;
    });
    expect(after.request(0).key).toBe(before.request(0).key);
    expect(setUp('grant:chiara', 'rita').result.current.otherTry(undefined)).toBeUndefined();
  });

  it('an intent that was refused or done is not offered', async () => {
    const before = setUp('grant:chiara', 'rita');
    await act(async () => {
      const outcome = before.result.current.submit(TEN);
      before.request(0).fail(refused(409));
      await outcome;
      const second = before.result.current.submit(TWENTY);
      before.request(1).answer('done');
      await second;
    });
    expect(setUp('grant:chiara', 'rita').result.current.otherTry(undefined)).toBeUndefined();
    expect(localStorage).toHaveLength(0);
  });

  it('another user is not offered it', async () => {
    const before = setUp('grant:chiara', 'rita');
    await act(async () => void before.result.current.submit(TEN));
    expect(setUp('grant:chiara', 'sam').result.current.otherTry(undefined)).toBeUndefined();
  });

  it('what something else stored there is ignored', () => {
    localStorage.setItem('till.unsettled:rita:a-key', '{"scope": 5}');
    localStorage.setItem('till.unsettled:rita:b-key', 'not JSON');
    expect(setUp('grant:chiara', 'rita').result.current.otherTry(undefined)).toBeUndefined();
  });
});

describe('another tab of the same user', () => {
  /** Two pages: each has a query client of its own, and they share the browser's storage. */
  const tabs = () => [setUp('grant:chiara', 'rita'), setUp('grant:chiara', 'rita')] as const;
  const settle = async (tab: ReturnType<typeof setUp>, index: number, end: (request: Sent) => void) => {
    await act(async () => end(tab.request(index)));
  };

  it('that was open before sends what got no answer with the same key', async () => {
    const [one, other] = tabs();
    await act(async () => void one.result.current.submit(TEN));
    await settle(one, 0, (request) => request.fail(lost()));
    act(() => void window.dispatchEvent(new StorageEvent('storage')));
    expect(other.result.current.sameTry(TEN)?.payload).toEqual(TEN);
    await act(async () => void other.result.current.submit(TEN));
    expect(other.request(0).key).toBe(one.request(0).key);
  });

  it('that was loaded while it was under way has a new key once it is done', async () => {
    const one = setUp('grant:chiara', 'rita');
    await act(async () => void one.result.current.submit(TEN));
    const other = setUp('grant:chiara', 'rita');
    await settle(one, 0, (request) => request.answer('done'));
    expect(other.result.current.sameTry(TEN)).toBeUndefined();
    await act(async () => void other.result.current.submit(TEN));
    expect(other.request(0).key).not.toBe(one.request(0).key);
  });

  it('may settle it: what is sent again here still has the key that makes it safe', async () => {
    const [one, other] = tabs();
    await act(async () => void one.result.current.submit(TEN));
    await settle(one, 0, (request) => request.fail(lost()));
    const told = other.result.current.sameTry(TEN);
    await act(async () => void other.result.current.submit(TEN, told));
    await settle(other, 0, (request) => request.answer('done'));
    // The page still says that sending exactly this again is safe.
    expect(one.result.current.isRetry(TEN)).toBe(true);
    await act(async () => void one.result.current.submit(TEN));
    expect(one.request(1).key).toBe(one.request(0).key);
    // So does a notice that was shown before.
    const third = setUp('grant:chiara', 'rita');
    await act(async () => void third.result.current.submit(TEN, told));
    expect(third.request(0).key).toBe(one.request(0).key);
  });
});

describe('an earlier try of the same', () => {
  it('that another tab was refused to send is kept when this one had no answer', async () => {
    const first = setUp('grant:chiara', 'rita');
    const second = setUp('grant:chiara', 'rita');
    await act(async () => void first.result.current.submit(TEN));
    await act(async () => void second.result.current.submit(TEN));
    await act(async () => first.request(0).fail(refused(429)));
    await act(async () => second.request(0).fail(lost()));
    expect(setUp('grant:chiara', 'rita').result.current.sameTry(TEN)?.intent.key).toBe(second.request(0).key);
  });

  it('is told with its time, and is a new intent once it is forgotten', async () => {
    const before = setUp('grant:chiara', 'rita');
    await act(async () => {
      const outcome = before.result.current.submit(TEN);
      before.request(0).fail(lost());
      await outcome;
    });
    const after = setUp('grant:chiara', 'rita');
    const same = after.result.current.sameTry(TEN);
    if (same === undefined) throw new Error('it is not known');
    expect(Math.abs(Date.parse(same.intent.at ?? '') - Date.now())).toBeLessThan(60_000);
    act(() => after.result.current.forgetTry(same));
    expect(after.result.current.sameTry(TEN)).toBeUndefined();
    await act(async () => void after.result.current.submit(TEN));
    expect(after.request(0).key).not.toBe(before.request(0).key);
  });

  it('of an older version of this application is taken up, without a time', () => {
    localStorage.setItem('till.unsettled:rita:a-key', JSON.stringify({ scope: 'grant:chiara', payload: fingerprint(TEN) }));
    expect(setUp('grant:chiara', 'rita').result.current.sameTry(TEN)?.intent).toMatchObject({ key: 'a-key', at: undefined });
  });

  it('is told to what sends it', async () => {
    const seen: boolean[] = [];
    const client = new QueryClient();
    const { result } = renderHook(
      () =>
        useMoneyAction<Payload, string>({
          scope: 'create',
          send: (_payload, _key, wasUnsettled) => {
            seen.push(wasUnsettled);
            return Promise.reject(lost());
          },
          affects: () => [],
        }),
      { wrapper: ({ children }: { readonly children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider> },
    );
    await act(async () => void (await result.current.submit(TEN)));
    await act(async () => void (await result.current.submit(TEN)));
    expect(seen).toEqual([false, true]);
  });
});

it('a storage that is full locks nothing, and the key is kept while the page is there', async () => {
  vi.spyOn(console, 'info').mockImplementation(() => {});
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
  });
  const { request, result } = setUp('grant:chiara', 'rita');
  await act(async () => {
    const outcome = result.current.submit(TEN);
    request(0).fail(lost());
    await outcome;
  });
  expect(result.current.status).toBe('failed');
  act(() => result.current.reset());
  expect(result.current.sameTry(TEN)).toBeDefined();
  await act(async () => void result.current.submit(TEN));
  expect(request(1).key).toBe(request(0).key);
});

it('the page is not left without a warning while an answer is open', async () => {
  const leaves = () => window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
  const { request, result } = setUp();
  expect(leaves()).toBe(true);
  let outcome: Promise<unknown> | undefined;
  await act(async () => void (outcome = result.current.submit(TEN)));
  expect(leaves()).toBe(false);
  await act(async () => {
    request(0).answer('done');
    await outcome;
  });
  expect(leaves()).toBe(true);
});

describe('a fingerprint', () => {
  it('is of the content', () => {
    expect(fingerprint({ a: 1, b: { c: [1, 2], d: null } })).toBe(fingerprint({ b: { d: null, c: [1, 2] }, a: 1 }));
    expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: '1' }));
    expect(fingerprint([1, 2])).not.toBe(fingerprint([2, 1]));
    // What is not set is not sent, so it is no difference.
    expect(fingerprint({ a: 1, b: undefined })).toBe(fingerprint({ a: 1 }));
  });
});
