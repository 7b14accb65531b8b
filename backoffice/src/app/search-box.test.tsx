import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';

import type { SearchMatch } from '../api/types.ts';
import { ATTEMPT_ID, CUSTOMER_ID, PURCHASE_ID, aCredit, aCustomer } from '../test/examples.ts';
import { renderApp } from '../test/render-app.tsx';
import { on, problem, server, stillLoading } from '../test/server.ts';

const ADA_ID = 'c0000000-0000-4000-8000-000000000001';

function aMatch(changes: Partial<SearchMatch> = {}): SearchMatch {
  return {
    kind: 'customer',
    id: CUSTOMER_ID,
    purchase_id: null,
    customer_id: CUSTOMER_ID,
    name: 'Chiara Lindqvist',
    email: 'chiara@example.com',
    status: null,
    total: null,
    currency: null,
    created_at: '2026-01-05T08:00:00Z',
    ...changes,
  };
}

const PURCHASE = aMatch({
  kind: 'purchase',
  id: PURCHASE_ID,
  purchase_id: PURCHASE_ID,
  name: 'Notebook, A5',
  email: null,
  status: 'PARTIALLY_REFUNDED',
  total: 2500,
  currency: 'USD',
});
const ADA = aMatch({ id: ADA_ID, customer_id: ADA_ID, name: 'Ada Okafor', email: 'ada@example.com' });

/** Answers searches with these matches, and tells what was asked. */
function finding(items: readonly SearchMatch[], more: { more_customers?: boolean; customers_unavailable?: boolean } = {}): (string | null)[] {
  const asked: (string | null)[] = [];
  server.use(
    on('get', '/search', ({ query }) => {
      asked.push(query.get('query'));
      return { items: [...items], more_customers: false, customers_unavailable: false, ...more };
    }),
  );
  return asked;
}

const box = () => screen.getByRole('combobox', { name: /Search by name/ });
const status = () => within(screen.getByRole('search')).getByRole('status');

/** The application, once the page is there. */
async function start(route = '/customers'): Promise<ReturnType<typeof renderApp>> {
  const rendered = renderApp(route);
  await screen.findByRole('heading', { level: 1, name: 'Customers' });
  return rendered;
}

describe('the search', () => {
  beforeEach(() => {
    server.use(
      on('get', '/customers', () => ({ items: [], next_cursor: null })),
      on('get', '/customers/{customer_id}', ({ params }) => aCustomer({ id: params['customer_id'] ?? '' })),
      on('get', '/customers/{customer_id}/credit', () => aCredit()),
      on('get', '/customers/{customer_id}/credit/entries', () => ({ items: [], next_cursor: null })),
    );
  });

  it('shows matches by their kind after a pause in typing, each a link', async () => {
    const asked = finding([ADA, PURCHASE, aMatch()]);
    const { user } = await start();
    await user.type(box(), 'a');
    expect(status()).toHaveTextContent('Type at least two characters.');
    await user.type(box(), 'da ');
    const list = await screen.findByRole('listbox', { name: 'Matches' });
    expect(await within(list).findAllByRole('option')).toHaveLength(3);
    const customers = within(list).getByRole('group', { name: 'Customers' });
    expect(within(customers).getAllByRole('option').map((option) => option.getAttribute('href'))).toEqual([
      `/customers/${ADA_ID}`,
      `/customers/${CUSTOMER_ID}`,
    ]);
    const purchase = within(within(list).getByRole('group', { name: 'Purchases' })).getByRole('option');
    expect(purchase).toHaveTextContent('Notebook, A5 · $25.00 · partially refunded');
    expect(status()).toHaveTextContent('3 matches');
    expect(asked).toEqual(['ada']);
  });

  it('is used with the arrow keys and Enter', async () => {
    finding([ADA, PURCHASE, aMatch()]);
    const { user, router } = await start();
    await user.type(box(), 'ada');
    await screen.findAllByRole('option');
    expect(box()).toHaveAttribute('aria-expanded', 'true');
    await user.keyboard('{ArrowDown}');
    const [first, second] = screen.getAllByRole('option');
    expect(box()).toHaveAttribute('aria-activedescendant', first?.id);
    expect(first).toHaveAttribute('aria-selected', 'true');
    await user.keyboard('{ArrowUp}{ArrowDown}{ArrowDown}');
    expect(box()).toHaveAttribute('aria-activedescendant', second?.id);
    await user.keyboard('{Enter}');
    // Customers come first, since the best match is one.
    await waitFor(() => expect(router.state.location.pathname).toBe(`/customers/${CUSTOMER_ID}`));
    expect(box()).toHaveValue('');
    expect(screen.queryByRole('option')).not.toBeInTheDocument();
  });

  it('opens the only match on Enter, without waiting for the pause', async () => {
    finding([ADA]);
    const { user, router } = await start();
    await user.type(box(), 'ada{Enter}');
    await waitFor(() => expect(router.state.location.pathname).toBe(`/customers/${ADA_ID}`));
  });

  it('opens the only match of what is pasted', async () => {
    const asked = finding([aMatch()]);
    const { user, router } = await start();
    await user.click(box());
    await user.paste(` ${CUSTOMER_ID} `);
    await waitFor(() => expect(router.state.location.pathname).toBe(`/customers/${CUSTOMER_ID}`));
    expect(asked).toEqual([CUSTOMER_ID]);
  });

  it('leads to the page of each kind', async () => {
    finding([
      aMatch({ kind: 'attempt', id: ATTEMPT_ID, purchase_id: ATTEMPT_ID }),
      aMatch({ kind: 'shipment', id: 'shp_1', purchase_id: PURCHASE_ID }),
      aMatch({ kind: 'promo_code', id: 'SUMMER10', customer_id: null, status: 'ACTIVE' }),
    ]);
    const { user } = await start();
    await user.type(box(), 'x1{Enter}');
    const options = await screen.findAllByRole('option');
    expect(options.map((option) => option.getAttribute('href'))).toEqual([
      `/attempts/${ATTEMPT_ID}`,
      `/purchases/${PURCHASE_ID}`,
      '/promo-codes/SUMMER10',
    ]);
  });

  it('is reached with /, and left with Escape', async () => {
    finding([ADA, aMatch()]);
    const { user, router } = await start();
    await user.keyboard('/');
    expect(box()).toHaveFocus();
    await user.keyboard('a/b');
    await screen.findAllByRole('option');
    await user.keyboard('{Escape}');
    expect(box()).toHaveValue('a/b');
    expect(box()).toHaveAttribute('aria-expanded', 'false');
    await user.keyboard('{Escape}');
    expect(box()).toHaveValue('');
    expect(box()).not.toHaveFocus();
    expect(router.state.location.pathname).toBe('/customers');
  });

  it('does not open what was called off with Escape', async () => {
    let asked = 0;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.use(
      on('get', '/search', async () => {
        asked += 1;
        await released;
        return { items: [ADA], more_customers: false, customers_unavailable: false };
      }),
    );
    const { user, router } = await start();
    await user.type(box(), 'ada{Enter}');
    await waitFor(() => expect(asked).toBe(1));
    await user.keyboard('{Escape}');
    release();
    await user.keyboard('{ArrowDown}');
    await screen.findByRole('option');
    expect(router.state.location.pathname).toBe('/customers');
  });

  it('says what is under way, and what went wrong', async () => {
    server.use(on('get', '/search', stillLoading));
    const { user } = await start();
    await user.type(box(), 'ada{Enter}');
    expect(status()).toHaveTextContent('Searching…');
    server.use(on('get', '/search', () => problem(503, 'upstream-unavailable', 'Not now', 'The Customer API does not answer.')));
    await user.type(box(), ' o{Enter}');
    await waitFor(() => expect(status()).toHaveTextContent('The search failed. The Customer API does not answer.'));
  });

  it.each([
    [[], {}, /Nothing matches/],
    [[ADA, aMatch()], { more_customers: true }, /More customers match/],
    [[PURCHASE, ADA], { customers_unavailable: true }, /customers may be missing/],
  ] as const)('says what an answer leaves open', async (items, more, said) => {
    finding(items, more);
    const { user } = await start();
    await user.type(box(), 'ada');
    await waitFor(() => expect(status()).toHaveTextContent(said));
  });

  it.each([
    [false, 'Not known to the Customer API any more'],
    [true, 'The name is not available at the moment'],
  ])('says why a customer has no name (the Customer API does not answer: %s)', async (unavailable, said) => {
    finding([aMatch({ name: null, email: null })], { customers_unavailable: unavailable });
    const { user } = await start();
    await user.type(box(), 'c0000000');
    expect(await screen.findByRole('option')).toHaveTextContent(said);
  });

  it('takes the query of the address', async () => {
    finding([ADA, aMatch()]);
    await start('/customers?query=ada');
    expect(box()).toHaveValue('ada');
    expect(await screen.findAllByRole('option')).toHaveLength(2);
  });
});
