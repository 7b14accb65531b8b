import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import type { SignedStatement } from '../../api/types.ts';
import { apiOfACustomer } from '../../test/api-of-a-customer.ts';
import { catchDownloads } from '../../test/downloads.ts';
import { anEntry, aPurchase, CUSTOMER_ID, PURCHASE_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { on, problem, server, stillLoading } from '../../test/server.ts';

const PLACE = `/customers/${CUSTOMER_ID}`;

const ENTRIES = [
  anEntry({
    id: '00000000-0000-4000-8000-000000000002',
    sequence: 2,
    kind: 'PURCHASE',
    amount: -2500,
    balance_after: 1500,
    reason: 'Purchase of 2 x NTB-A5-DOT',
    actor: 'chiara',
    actor_name: null,
    purchase_id: PURCHASE_ID,
    created_at: '2026-11-23T08:00:00Z',
  }),
  anEntry(),
];

const heading = (name: string) => screen.findByRole('heading', { level: 1, name });
const card = async (name: string) => within(await screen.findByRole('region', { name }));
const figure = async (name: string) => {
  const term = (await (await card('Credit')).findByText(name)).closest('div');
  if (term === null) throw new Error(`${name} stands in no group`);
  return within(term);
};
const notFound = () => problem(404, 'customer-not-found', 'There is no such customer', 'No customer has this id.');
const unavailable = () => problem(503, 'upstream-unavailable', 'Not possible now', 'The Customer API does not answer.');

describe('a customer at a glance', () => {
  it('is shown with details as the upstream has them', async () => {
    apiOfACustomer({
      customer: {
        shipping_address: { line1: 'Calle Mayor 1', line2: '2 B', city: 'Madrid', postal_code: '28013', state: 'MD', country: 'ES' },
      },
    });
    renderApp(PLACE);
    await heading('Chiara Lindqvist');
    const details = await card('Details');
    expect(details.getByText('chiara@example.com')).toBeVisible();
    expect(details.getByText('905 Mesa Verde Drive')).toBeVisible();
    expect(details.getByText('2 B')).toBeVisible();
    expect(details.getByText('Madrid, MD 28013')).toBeVisible();
    expect(details.getByText('Spain')).toBeVisible();
    expect(details.queryByRole('status')).not.toBeInTheDocument();
    expect(document.title).toBe('Chiara Lindqvist · Till');
  });

  it.each([
    [{ version: 1, verified_at: '2026-11-22T17:36:16Z', findings: 0 }, /Verified up to version 1 of 1/],
    [{ version: 0, verified_at: null, findings: 0 }, /Not verified yet/],
    [null, /not known just now/],
  ])('tells how far the account was verified', async (verification, words) => {
    apiOfACustomer({ balance: { verification } });
    renderApp(PLACE);
    expect(await (await card('Credit')).findByText(words)).toBeVisible();
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('warns of an account with a finding', async () => {
    apiOfACustomer({ balance: { verification: { version: 1, verified_at: '2026-11-22T17:36:16Z', findings: 2 } } });
    renderApp(PLACE);
    expect(await (await card('Credit')).findByRole('alert')).toHaveTextContent('This account was tampered with.');
  });

  it('says when the details may be out of date', async () => {
    apiOfACustomer({ customer: { stale: true } });
    renderApp(PLACE);
    await heading('Chiara Lindqvist');
    expect((await card('Details')).getByRole('status')).toHaveTextContent('These details may be out of date.');
  });

  it('has posted, held and available; what is held leads to the attempts', async () => {
    apiOfACustomer({ balance: { posted: 4000, held: 1000, available: 3000 } });
    renderApp(PLACE);
    expect((await figure('Available')).getByText('$30.00')).toBeVisible();
    expect((await figure('Posted')).getByText('$40.00')).toBeVisible();
    const held = await figure('Held');
    expect(held.getByText('$10.00')).toBeVisible();
    expect(held.getByRole('link', { name: /for open purchases/ })).toHaveAttribute('href', '/attempts');
  });

  it('without anything held or ever granted says so', async () => {
    apiOfACustomer({ balance: { posted: 0, available: 0, version: 0, updated_at: null }, entries: [] });
    renderApp(PLACE);
    expect((await figure('Posted')).getByText('never had credit')).toBeVisible();
    expect((await figure('Held')).queryByRole('link')).not.toBeInTheDocument();
    expect(await screen.findByText('No history yet')).toBeVisible();
    expect(await screen.findByText('No movements yet')).toBeVisible();
  });

  it('still has a balance, a ledger and grants when the upstream does not answer', async () => {
    apiOfACustomer({ entries: ENTRIES });
    server.use(on('get', '/customers/{customer_id}', unavailable));
    renderApp(PLACE);
    const details = await card('Details');
    const alert = await details.findByRole('alert');
    expect(alert).toHaveTextContent('The details could not be loaded');
    expect(alert).toHaveTextContent('The Customer API does not answer.');
    expect((await figure('Posted')).getByText('$40.00')).toBeVisible();
    expect(await screen.findByRole('table', { name: 'Ledger' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Grant credit' })).toBeVisible();
  });

  it('shows each failure where it belongs, and tries again', async () => {
    apiOfACustomer();
    server.use(
      on('get', '/customers/{customer_id}/credit', () => problem(500, 'internal-error', 'Our mistake', 'It is logged.')),
      on('get', '/customers/{customer_id}/credit/entries', () => problem(500, 'internal-error', 'Our mistake', 'It is logged.')),
    );
    const { user } = renderApp(PLACE);
    await heading('Chiara Lindqvist');
    expect(await (await card('Credit')).findByText('The balance could not be loaded')).toBeVisible();
    expect(await screen.findByText('The ledger could not be loaded')).toBeVisible();
    expect(await screen.findByText('The history of the balance could not be loaded')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Grant credit' })).not.toBeInTheDocument();
    apiOfACustomer();
    await user.click((await card('Credit')).getByRole('button', { name: 'Try again' }));
    expect((await figure('Posted')).getByText('$40.00')).toBeVisible();
  });

  it('is on its way', async () => {
    server.use(
      on('get', '/customers/{customer_id}', stillLoading),
      on('get', '/customers/{customer_id}/credit', stillLoading),
      on('get', '/customers/{customer_id}/credit/entries', stillLoading),
    );
    renderApp(PLACE);
    expect(await screen.findByText('Loading the details…')).toBeVisible();
    expect(screen.getByText('Loading the balance…')).toBeVisible();
    expect(screen.getByText('Loading the ledger…')).toBeVisible();
    expect(screen.getByText('Loading the history of the balance…')).toBeVisible();
  });

  it('does not exist', async () => {
    server.use(
      on('get', '/customers/{customer_id}', notFound),
      on('get', '/customers/{customer_id}/credit', notFound),
      on('get', '/customers/{customer_id}/credit/entries', notFound),
    );
    renderApp(PLACE);
    expect(await screen.findByText('There is no customer with this id')).toBeVisible();
    expect(screen.queryByText('Credit')).not.toBeInTheDocument();
  });

  it('who was deleted upstream keeps a ledger here', async () => {
    apiOfACustomer({ entries: ENTRIES });
    server.use(on('get', '/customers/{customer_id}', notFound));
    renderApp(PLACE);
    await heading('Unknown customer');
    expect(await screen.findByText('The Customer API does not know this customer')).toBeVisible();
    expect(await screen.findByRole('table', { name: 'Ledger' })).toBeVisible();
  });

  it('is not asked for by what is no id', async () => {
    renderApp('/customers/chiara');
    expect(await screen.findByText('The customer id in this address is not valid')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Search for it instead' })).toHaveAttribute('href', '/customers?query=chiara');
  });
});

describe('the balance over time', () => {
  it('is told in a sentence, and as a table', async () => {
    apiOfACustomer({ entries: ENTRIES });
    const { user } = renderApp(PLACE);
    const chart = await card('Balance over time');
    const caption = await chart.findByText(/2 movements since/);
    expect(caption).toHaveTextContent('lowest $15.00, highest $40.00, now $15.00.');
    await user.click(chart.getByRole('button', { name: 'Show as a table' }));
    const rows = within(chart.getByRole('table')).getAllByRole('row');
    expect(rows.map((row) => row.textContent)).toEqual([
      expect.stringContaining('Balance'),
      expect.stringMatching(/Purchase\$15\.00$/),
      expect.stringMatching(/Grant\$40\.00$/),
    ]);
    await user.click(chart.getByRole('button', { name: 'Show as a chart' }));
    expect(chart.queryByRole('table')).not.toBeInTheDocument();
  });

  it('is drawn, with one movement too', async () => {
    // jsdom has no layout, and a chart draws nothing where it has no room.
    vi.spyOn(HTMLElement.prototype, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, 640, 208));
    apiOfACustomer({ entries: [anEntry()] });
    const { container } = renderApp(PLACE);
    expect(await (await card('Balance over time')).findByText(/One movement/)).toBeVisible();
    await waitFor(() => expect(container.querySelector('.till-chart .recharts-area-curve')).not.toBeNull());
    // A dot for the movement, and none for the beginning and the end of the line.
    await waitFor(() => expect(container.querySelectorAll('.till-chart circle')).toHaveLength(1));
  });

  it('says that it does not begin at the beginning', async () => {
    apiOfACustomer();
    server.use(
      on('get', '/customers/{customer_id}/credit/entries', () => ({ items: ENTRIES, next_cursor: 'older' })),
    );
    renderApp(PLACE);
    expect(await (await card('Balance over time')).findByText(/The latest 2 movements/)).toBeVisible();
  });
});

describe('the ledger', () => {
  it('says what, how much, the balance after, why, who and when, and leads to the purchase', async () => {
    apiOfACustomer({ entries: ENTRIES });
    renderApp(PLACE);
    const table = within(await screen.findByRole('table', { name: 'Ledger' }));
    const row = within(table.getByRole('row', { name: /NTB-A5-DOT/ }));
    expect(row.getByText('Purchase', { selector: '.till-badge *' })).toBeVisible();
    expect(row.getByText('-$25.00')).toBeVisible();
    expect(row.getByText('$15.00')).toBeVisible();
    expect(row.getByText('chiara')).toBeVisible();
    expect(row.getByTitle('2026-11-23 08:00:00 UTC')).toBeVisible();
    expect(row.getByRole('link', { name: /Purchase 85cdc38b/ })).toHaveAttribute('href', `/purchases/${PURCHASE_ID}`);
    expect(within(table.getByRole('row', { name: /Welcome credit/ })).getByText('+$40.00')).toBeVisible();
  });

  it('is paged, in the address', async () => {
    apiOfACustomer();
    server.use(
      on('get', '/customers/{customer_id}/credit/entries', ({ query }) =>
        query.get('cursor') === null ? { items: [ENTRIES[0] ?? anEntry()], next_cursor: 'older' } : { items: [anEntry()], next_cursor: null },
      ),
    );
    const { user, router } = renderApp(PLACE);
    const pager = within(await screen.findByRole('navigation', { name: 'Pages of the ledger' }));
    await user.click(pager.getByRole('button', { name: 'Next page' }));
    expect(await screen.findByText('Welcome credit')).toBeVisible();
    expect(router.state.location.search).toBe('?cursor=older');
    await user.click(pager.getByRole('button', { name: 'Previous page' }));
    expect(await screen.findByText('Purchase of 2 x NTB-A5-DOT')).toBeVisible();
    expect(router.state.location.search).toBe('');
  });

  it('is exported with all its pages', async () => {
    apiOfACustomer();
    server.use(
      on('get', '/customers/{customer_id}/credit/entries', ({ query }) =>
        query.get('cursor') === null
          ? { items: [ENTRIES[0] ?? anEntry()], next_cursor: 'older' }
          : { items: [anEntry({ reason: '=HYPERLINK("x"), they said' })], next_cursor: null },
      ),
    );
    const downloads = catchDownloads();
    const { user } = renderApp(PLACE);
    await user.click(await screen.findByRole('button', { name: 'Export the ledger' }));
    expect(await screen.findByText('Exported 2 rows.')).toBeVisible();
    expect(downloads.map((download) => download.name)).toEqual([`ledger-${CUSTOMER_ID}.csv`]);
    expect(await downloads[0]?.lines()).toEqual([
      'sequence,entry_id,created_at,kind,amount,balance_after,currency,reason,actor,actor_name,purchase_id,refund_id,idempotency_key,previous_hash,hash',
      `2,00000000-0000-4000-8000-000000000002,2026-11-23T08:00:00Z,PURCHASE,-25.00,15.00,USD,Purchase of 2 x NTB-A5-DOT,chiara,,${PURCHASE_ID},,first,'${'0'.repeat(64)},${'a'.repeat(64)}`,
      `1,1e69c7af-f5cd-5846-9caa-4f5f048208e6,2026-11-22T17:36:15.122328Z,GRANT,40.00,40.00,USD,"'=HYPERLINK(""x""), they said",rita,Rita Sorensen,,,first,'${'0'.repeat(64)},${'a'.repeat(64)}`,
    ]);
  });

  it('is downloaded as a signed statement, however many pages it has', async () => {
    apiOfACustomer();
    const position = { sequence: 2, balance: 1500, hash: 'a'.repeat(64) };
    const page = (next_cursor: string | null): SignedStatement => ({
      statement: {
        customer_id: CUSTOMER_ID,
        currency: 'USD',
        starts_at: null,
        ends_at: null,
        issued_at: '2026-11-24T08:00:00.000000Z',
        is_first_page: next_cursor !== null,
        is_last_page: next_cursor === null,
        opening: position,
        entries: [anEntry()],
        closing: position,
      },
      signature: 'header..signature',
      next_cursor,
    });
    const asked: (string | null)[][] = [];
    server.use(
      on('get', '/customers/{customer_id}/credit/statement', ({ query }) => {
        asked.push([query.get('from'), query.get('to')]);
        return page(query.get('cursor') === null ? 'second' : null);
      }),
    );
    const downloads = catchDownloads();
    const { user } = renderApp(PLACE);
    await user.click(await screen.findByRole('button', { name: 'Signed statement' }));
    await user.selectOptions(await screen.findByLabelText('Period'), 'Last year');
    await user.click(screen.getByRole('button', { name: 'Download' }));
    expect(await screen.findByText('Exported 2 rows.')).toBeVisible();
    expect(downloads.map((download) => download.name)).toEqual([`statement-${CUSTOMER_ID}-last-year.json`]);
    const year = new Date().getUTCFullYear();
    const bounds = [`${year - 1}-01-01T00:00:00.000Z`, `${year}-01-01T00:00:00.000Z`];
    expect(asked).toEqual([bounds, bounds]);
    expect(JSON.parse((await downloads[0]?.lines())?.join('') ?? '')).toEqual([page('second'), page(null)]);
  });

  it('whose export takes long says how far it is, and can be cancelled', async () => {
    apiOfACustomer();
    server.use(
      on('get', '/customers/{customer_id}/credit/entries', ({ query }) =>
        query.get('cursor') === null ? { items: [...ENTRIES], next_cursor: 'older' } : stillLoading(),
      ),
    );
    const downloads = catchDownloads();
    const { user } = renderApp(PLACE);
    await user.click(await screen.findByRole('button', { name: 'Export the ledger' }));
    expect(await screen.findByRole('button', { name: 'Exporting, 2 rows…' })).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Cancel the export' }));
    expect(await screen.findByText('The export was cancelled.')).toBeVisible();
    expect(await screen.findByRole('button', { name: 'Export the ledger' })).toHaveFocus();
    expect(downloads).toEqual([]);
    expect(screen.queryByText(/The export failed/)).not.toBeInTheDocument();
  });

  it('whose export is cancelled by leaving the page says so', async () => {
    apiOfACustomer();
    const { user, router } = renderApp(PLACE);
    await screen.findByText('Welcome credit');
    server.use(on('get', '/customers/{customer_id}/credit/entries', () => stillLoading()));
    await user.click(screen.getByRole('button', { name: 'Export the ledger' }));
    await screen.findByRole('button', { name: 'Exporting, 0 rows…' });
    server.use(on('get', '/customers', () => ({ items: [], next_cursor: null })));
    await act(() => router.navigate('/customers'));
    expect(await screen.findAllByText('The export was cancelled.')).toHaveLength(1);
    expect(screen.queryByText(/The export failed/)).not.toBeInTheDocument();
  });
});

describe('the purchases of a customer', () => {
  const PURCHASES = [aPurchase({ refunded: 500, status: 'PARTIALLY_REFUNDED' }), aPurchase({ id: '95cdc38b-2877-53de-82e1-d549e707e92a', quantity: 1 })];

  it('are a section of their own, in the address', async () => {
    apiOfACustomer({ purchases: PURCHASES });
    const { user, router } = renderApp(PLACE);
    const sections = within(await screen.findByRole('navigation', { name: 'Lists of this customer' }));
    expect(sections.getByRole('link', { name: 'Ledger' })).toHaveAttribute('aria-current', 'true');
    await user.click(sections.getByRole('link', { name: 'Purchases' }));
    expect(router.state.location.search).toBe('?section=purchases');
    expect(sections.getByRole('link', { name: 'Purchases' })).toHaveAttribute('aria-current', 'true');
    expect(sections.getByRole('link', { name: 'Ledger' })).not.toHaveAttribute('aria-current');
    const row = within(await screen.findByRole('row', { name: /Partly refunded/ }));
    expect(row.getByRole('link', { name: 'Notebook, A5' })).toHaveAttribute('href', `/purchases/${PURCHASE_ID}`);
    expect(row.getByText('2')).toBeVisible();
    expect(row.getByText('$25.00')).toBeVisible();
    expect(row.getByText('$5.00')).toBeVisible();
    await user.click(sections.getByRole('link', { name: 'Ledger' }));
    expect(router.state.location.search).toBe('');
  });

  it('are exported', async () => {
    apiOfACustomer({ purchases: PURCHASES.slice(0, 1) });
    const downloads = catchDownloads();
    const { user } = renderApp(`${PLACE}?section=purchases`);
    await user.click(await screen.findByRole('button', { name: 'Export the purchases' }));
    expect(await screen.findByText('Exported 1 row.')).toBeVisible();
    expect(await downloads[0]?.lines()).toEqual([
      'purchase_id,created_at,product,sku,quantity,subtotal,discount,total,refunded,currency,status,promo_code,shipment_id,created_by,created_by_name',
      `${PURCHASE_ID},2026-11-22T17:36:19.610487Z,"Notebook, A5",NTB-A5-DOT,2,25.00,0.00,25.00,5.00,USD,PARTIALLY_REFUNDED,,shp_59904714caa2412e9f0bffca822e409d,shop,`,
    ]);
  });

  it('are none, or could not be loaded', async () => {
    apiOfACustomer();
    const { unmount } = renderApp(`${PLACE}?section=purchases`);
    expect(await screen.findByText('No purchases yet')).toBeVisible();
    unmount();
    server.use(on('get', '/customers/{customer_id}/purchases', () => problem(503, 'unavailable', 'Not possible now', 'Busy.')));
    renderApp(`${PLACE}?section=purchases`);
    expect(await screen.findByText('The purchases could not be loaded')).toBeVisible();
  });
});
