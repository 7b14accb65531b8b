import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { aCredit, aCustomer, aKnownCustomer, CUSTOMER_ID } from '../../test/examples.ts';
import { dayOf } from '../../format/moment.ts';
import { catchDownloads } from '../../test/downloads.ts';
import { renderApp } from '../../test/render-app.tsx';
import { on, problem, server, stillLoading } from '../../test/server.ts';

const ADA = aKnownCustomer({ id: 'c0000000-0000-4000-8000-000000000001', name: 'Ada Okafor', email: 'ada@example.com' });
const CHIARA = aKnownCustomer();

const table = () => screen.findByRole('table', { name: 'Customers' });

/** Answers with these pages, one for each cursor, and tells what was asked. */
function pagesOf(pages: Readonly<Record<string, { readonly items: readonly (typeof ADA)[]; readonly next?: string }>>): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  server.use(
    on('get', '/customers', ({ query }) => {
      asked.push(query);
      const page = pages[query.get('cursor') ?? ''] ?? { items: [] };
      return { items: [...page.items], next_cursor: page.next ?? null };
    }),
  );
  return asked;
}

/** A customer's page reads these. */
function aCustomerCanBeOpened() {
  server.use(
    on('get', '/customers/{customer_id}', ({ params }) => aCustomer({ id: params['customer_id'] ?? '' })),
    on('get', '/customers/{customer_id}/credit', () => aCredit()),
    on('get', '/customers/{customer_id}/credit/entries', () => ({ items: [], next_cursor: null })),
  );
}

describe('the known customers', () => {
  it('are listed with name, e-mail, id and since when', async () => {
    pagesOf({ '': { items: [CHIARA, ADA] } });
    renderApp('/customers');
    const rows = within(await table()).getAllByRole('row');
    expect(rows).toHaveLength(3);
    const row = within(await table()).getByRole('row', { name: /Chiara Lindqvist/ });
    expect(within(row).getByRole('link', { name: 'Chiara Lindqvist' })).toHaveAttribute('href', `/customers/${CUSTOMER_ID}`);
    expect(within(row).getByText('chiara@example.com')).toBeVisible();
    expect(within(row).getByText(CUSTOMER_ID.slice(0, 8))).toBeVisible();
    expect(within(row).getByRole('button', { name: 'Copy the id of Chiara Lindqvist' })).toBeVisible();
    expect(within(row).getByTitle('2026-11-22 17:36:15.122328 UTC')).toBeVisible();
    expect(screen.getByText('2 customers in total.')).toBeVisible();
  });

  it('are opened by a click anywhere in their row, but not by a click on what copies the id', async () => {
    pagesOf({ '': { items: [CHIARA] } });
    aCustomerCanBeOpened();
    const { user, router } = renderApp('/customers');
    await user.click(await screen.findByRole('button', { name: /Copy the id/ }));
    expect(router.state.location.pathname).toBe('/customers');
    await user.click(screen.getByText('chiara@example.com'));
    await waitFor(() => expect(router.state.location.pathname).toBe(`/customers/${CUSTOMER_ID}`));
  });

  it('are there without a name where the upstream could not be asked', async () => {
    pagesOf({ '': { items: [aKnownCustomer({ name: null, email: null })] } });
    renderApp('/customers');
    expect(await screen.findByRole('link', { name: 'Name not known at this moment' })).toHaveAttribute('href', `/customers/${CUSTOMER_ID}`);
  });

  it('are shown page after page, and are as they were on Back', async () => {
    pagesOf({ '': { items: [CHIARA], next: 'second' }, second: { items: [ADA] } });
    aCustomerCanBeOpened();
    const { user, router } = renderApp('/customers');
    await user.click(await screen.findByRole('button', { name: 'Show more' }));
    expect(await screen.findByText('2 customers in total.')).toBeVisible();
    await user.click(screen.getByRole('link', { name: 'Ada Okafor' }));
    await screen.findByRole('heading', { level: 1, name: 'Chiara Lindqvist' });
    await router.navigate(-1);
    expect(within(await table()).getByRole('link', { name: 'Ada Okafor' })).toBeVisible();
    expect(within(await table()).getByRole('link', { name: 'Chiara Lindqvist' })).toBeVisible();
  });

  it('go on by a button where a page is full', async () => {
    const many = (from: number) =>
      Array.from({ length: 25 }, (_, index) =>
        aKnownCustomer({ id: `c0000000-0000-4000-8000-${String(from + index).padStart(12, '0')}`, name: `Customer ${from + index}` }),
      );
    const asked = pagesOf({ '': { items: many(0), next: 'second' }, second: { items: many(25) } });
    const { user } = renderApp('/customers');
    expect(await screen.findByText('The newest 25 customers.')).toBeVisible();
    expect(asked).toHaveLength(1);
    await user.click(screen.getByRole('button', { name: 'Show more' }));
    expect(await screen.findByText('50 customers in total.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Show more' })).not.toBeInTheDocument();
  });

  it('are none: then it says how a customer is found', async () => {
    pagesOf({});
    renderApp('/customers');
    expect(await screen.findByText('No customer has credit yet')).toBeVisible();
    expect(screen.getByText(/The search finds others by their id/)).toBeVisible();
  });

  it('are on their way, or could not be loaded, and are tried again', async () => {
    server.use(on('get', '/customers', stillLoading));
    const { unmount } = renderApp('/customers');
    expect(await screen.findByText('Loading the customers…')).toBeVisible();
    unmount();
    server.use(on('get', '/customers', () => problem(503, 'unavailable', 'Not possible now', 'The table is busy.')));
    const { user } = renderApp('/customers');
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('The customers could not be loaded');
    expect(alert).toHaveTextContent('The table is busy.');
    expect(alert).toHaveTextContent('correlation-of-unavailable');
    pagesOf({ '': { items: [CHIARA] } });
    await user.click(within(alert).getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('link', { name: 'Chiara Lindqvist' })).toBeVisible();
  });

  it('are exported, all pages of them', async () => {
    const asked = pagesOf({ '': { items: [CHIARA], next: 'second' }, second: { items: [aKnownCustomer({ ...ADA, name: null })] } });
    const downloads = catchDownloads();
    const { user } = renderApp('/customers');
    await user.click(await screen.findByRole('button', { name: 'Export CSV' }));
    expect(await screen.findByText('Exported 2 rows.')).toBeVisible();
    expect(downloads.map((download) => download.name)).toEqual([`customers-${dayOf(new Date())}.csv`]);
    expect(await downloads[0]?.lines()).toEqual([
      'customer_id,name,email,opened_at',
      `${CUSTOMER_ID},Chiara Lindqvist,chiara@example.com,2026-11-22T17:36:15.122328Z`,
      `${ADA.id},,ada@example.com,2026-11-22T17:36:15.122328Z`,
    ]);
    expect(asked.filter((query) => query.get('limit') === '100')).toHaveLength(2);
  });

  it('that break off keep what was found, and are tried again', async () => {
    server.use(
      on('get', '/customers', ({ query }) =>
        query.get('cursor') === null
          ? { items: [ADA], next_cursor: 'second' }
          : problem(503, 'upstream-unavailable', 'Not possible now', 'The table is busy.'),
      ),
    );
    const { user } = renderApp('/customers');
    await user.click(await screen.findByRole('button', { name: 'Show more' }));
    expect(await screen.findByText('The list stopped here: The table is busy.')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Ada Okafor' })).toBeVisible();
    pagesOf({ second: { items: [CHIARA] } });
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('2 customers in total.')).toBeVisible();
  });
});
