import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { toCsv } from '../../format/csv.ts';
import { fromMoment, untilMoment } from '../../format/moment.ts';
import { aCustomer, aNamedPurchase, ATTEMPT_ID, CUSTOMER_ID, PURCHASE_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { on, problem, server, stillLoading } from '../../test/server.ts';
import { PURCHASE_CSV } from './csv.ts';

/** The queries that were asked, the latest last. */
function servePurchases(next: string | null = null): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  server.use(
    on('get', '/purchases', ({ query }) => {
      asked.push(query);
      return { items: [aNamedPurchase()], next_cursor: next };
    }),
  );
  return asked;
}

const row = () => screen.findByRole('rowheader', { name: /Notebook, A5/ });

describe('the purchases of all customers', () => {
  it('are listed with what, who, when, how much', async () => {
    const asked = servePurchases();
    renderApp('/purchases');
    const cells = (await row()).closest('tr');
    expect(cells).toHaveTextContent('2 × $12.50');
    expect(within(cells as HTMLElement).getByRole('link', { name: 'Chiara Lindqvist' })).toHaveAttribute('href', `/customers/${CUSTOMER_ID}`);
    expect(cells).toHaveTextContent('$25.00');
    expect(asked[0]?.get('include')).toBe('customer_names');
  });

  it('name a customer by id where the Customer API could not be asked', async () => {
    server.use(on('get', '/purchases', () => ({ items: [aNamedPurchase({ customer_name: null })], next_cursor: null })));
    renderApp('/purchases');
    expect(await screen.findByRole('link', { name: CUSTOMER_ID.slice(0, 8) })).toBeVisible();
  });

  it('are filtered by the address, in the viewer’s time zone', async () => {
    const asked = servePurchases();
    renderApp('/purchases?status=REFUNDED&from=2026-11-20&to=2026-11-22T14:30');
    await row();
    expect(screen.getByRole('combobox', { name: 'Status' })).toHaveValue('REFUNDED');
    expect(screen.getByLabelText('From, day')).toHaveValue('2026-11-20');
    expect(screen.getByLabelText('From, time')).toHaveValue('');
    expect(screen.getByLabelText('To, time')).toHaveValue('14:30');
    expect(asked[0]?.get('status')).toBe('REFUNDED');
    expect(asked[0]?.get('created_from')).toBe(new Date(2026, 10, 20).toISOString());
    expect(asked[0]?.get('created_to')).toBe(new Date(2026, 10, 22, 14, 30).toISOString());
  });

  it('write the filters into the address, go back to the first page, and clear them', async () => {
    const asked = servePurchases();
    const { user, router } = renderApp('/purchases?cursor=second');
    await row();
    await user.selectOptions(screen.getByRole('combobox', { name: 'Status' }), 'Partly refunded');
    await waitFor(() => expect(router.state.location.search).toBe('?status=PARTIALLY_REFUNDED'));
    fireEvent.change(screen.getByLabelText('To, day'), { target: { value: '2026-11-22' } });
    await waitFor(() => expect(asked.at(-1)?.get('created_to')).toBe(new Date(2026, 10, 23).toISOString()));
    fireEvent.change(screen.getByLabelText('To, time'), { target: { value: '08:15' } });
    await waitFor(() => expect(asked.at(-1)?.get('created_to')).toBe(new Date(2026, 10, 22, 8, 15).toISOString()));
    expect(new URLSearchParams(router.state.location.search).get('to')).toBe(new Date(2026, 10, 22, 8, 15).toISOString());
    await user.click(screen.getByRole('button', { name: 'Clear filters' }));
    await waitFor(() => expect(router.state.location.search).toBe(''));
    expect(screen.queryByRole('button', { name: 'Clear filters' })).toBeNull();
  });

  it('take a day that is typed, whose year grows digit by digit', async () => {
    const asked = servePurchases();
    const { router } = renderApp('/purchases');
    await row();
    const day = screen.getByLabelText('From, day');
    for (const typed of ['0002-11-22', '0020-11-22', '0202-11-22']) {
      fireEvent.change(day, { target: { value: typed } });
      expect(day).toHaveValue(typed);
      expect(day).toHaveAccessibleDescription(/four digits/);
    }
    expect(router.state.location.search).toBe('');
    fireEvent.change(day, { target: { value: '2026-11-22' } });
    await waitFor(() => expect(asked.at(-1)?.get('created_from')).toBe(new Date(2026, 10, 22).toISOString()));
    expect(day).toHaveValue('2026-11-22');
    expect(day).not.toHaveAccessibleDescription();
  });

  it('take midnight while a time is typed', async () => {
    const asked = servePurchases();
    renderApp(`/purchases?to=${new Date(2026, 10, 22, 14, 0).toISOString()}`);
    await row();
    fireEvent.change(screen.getByLabelText('To, time'), { target: { value: '00:00' } });
    await waitFor(() => expect(asked.at(-1)?.get('created_to')).toBe(new Date(2026, 10, 22).toISOString()));
    expect(screen.getByLabelText('To, day')).toHaveValue('2026-11-22');
    expect(screen.getByLabelText('To, time')).toHaveValue('00:00');
  });

  it('have a half-typed day replaced by a button for a time', async () => {
    servePurchases();
    const { user } = renderApp('/purchases');
    await row();
    await user.click(screen.getByRole('button', { name: 'Today' }));
    const day = screen.getByLabelText<HTMLInputElement>('From, day');
    await waitFor(() => expect(day).not.toHaveValue(''));
    const today = day.value;
    fireEvent.change(day, { target: { value: '0002-11-22' } });
    await user.click(screen.getByRole('button', { name: 'Today' }));
    expect(screen.getByLabelText('From, day')).toHaveValue(today);
  });

  it('keep instants in the address, which mean the same in every time zone', async () => {
    const asked = servePurchases();
    const [from, to] = [new Date(2026, 10, 20).toISOString(), new Date(2026, 10, 23).toISOString()];
    const { user, router } = renderApp(`/purchases?from=${from}&to=${to}`);
    await row();
    expect([asked[0]?.get('created_from'), asked[0]?.get('created_to')]).toEqual([from, to]);
    expect(screen.getByLabelText('From, day')).toHaveValue('2026-11-20');
    expect(screen.getByLabelText('To, day')).toHaveValue('2026-11-22');
    expect(screen.getByLabelText('To, time')).toHaveValue('');
    await user.click(screen.getByRole('button', { name: 'Last 7 days' }));
    await waitFor(() => expect(asked.at(-1)?.get('created_from')).not.toBe(from));
    const written = new URLSearchParams(router.state.location.search);
    expect([written.get('from'), written.get('to')]).toEqual([asked.at(-1)?.get('created_from'), asked.at(-1)?.get('created_to')]);
  });

  it('begin at the first page where the cursor of the address is not one of this list', async () => {
    server.use(
      on('get', '/purchases', ({ query }) =>
        query.get('cursor') === null
          ? { items: [aNamedPurchase()], next_cursor: null }
          : problem(400, 'invalid-request', 'The request is not valid', 'Check the fields.', {
              errors: [{ field: 'cursor', message: 'is not a cursor of this list; start again without one' }],
            }),
      ),
    );
    const { router } = renderApp('/purchases?status=COMPLETED&cursor=of-another-time-zone');
    expect(await row()).toBeVisible();
    expect(router.state.location.search).toBe('?status=COMPLETED');
    expect(router.state.historyAction).toBe('REPLACE');
    expect(screen.getByText(/The list is shown from its first page/)).toBeVisible();
  });

  it('ignore what is no filter in the address', async () => {
    const asked = servePurchases();
    renderApp('/purchases?status=SOLD&from=yesterday&to=2026-02-31');
    await row();
    expect([...(asked[0]?.keys() ?? [])].sort()).toEqual(['include', 'limit']);
    expect(screen.getByLabelText('From, time')).toBeDisabled();
    expect(screen.getByLabelText('To, day')).toHaveAccessibleDescription('Enter a day of the calendar.');
  });

  it('of a shipment are found by its id, which the address keeps, whatever the other filters were', async () => {
    const asked = servePurchases();
    const { user, router } = renderApp('/purchases?status=REFUNDED&from=2026-11-20&cursor=second');
    await row();
    await user.type(screen.getByLabelText('Shipment id'), ' shp_77 {Enter}');
    await waitFor(() => expect(router.state.location.search).toBe('?shipment_id=shp_77'));
    await waitFor(() => expect(asked.at(-1)?.get('shipment_id')).toBe('shp_77'));
    expect([...(asked.at(-1)?.keys() ?? [])].sort()).toEqual(['include', 'limit', 'shipment_id']);
    expect(screen.getByRole('combobox', { name: 'Status' })).toHaveValue('');
    await user.selectOptions(screen.getByRole('combobox', { name: 'Status' }), 'Completed');
    await waitFor(() => expect(router.state.location.search).toBe('?status=COMPLETED'));
    expect(screen.getByLabelText('Shipment id')).toHaveValue('');
  });

  it('of the shipment in the address are shown, and only that filter', async () => {
    const asked = servePurchases();
    renderApp('/purchases?status=REFUNDED&from=2026-11-20&shipment_id=shp_77');
    await row();
    expect(screen.getByLabelText('Shipment id')).toHaveValue('shp_77');
    expect(screen.getByRole('combobox', { name: 'Status' })).toHaveValue('');
    expect(screen.getByLabelText('From, day')).toHaveValue('');
    expect(asked[0]?.get('status')).toBeNull();
    expect(asked[0]?.get('shipment_id')).toBe('shp_77');
  });

  it('are not asked for by what is no shipment id', async () => {
    const asked = servePurchases();
    const { user } = renderApp('/purchases?shipment_id=two%20words');
    await row();
    await user.type(screen.getByLabelText('Shipment id'), 'paquet-é{Enter}');
    expect(screen.getByLabelText('Shipment id')).toHaveAccessibleDescription(/no spaces and no special characters/);
    expect(asked.every((query) => query.get('shipment_id') === null)).toBe(true);
  });

  it('say where to look when no purchase has the shipment id', async () => {
    server.use(on('get', '/purchases', () => ({ items: [], next_cursor: null })));
    const { user, router } = renderApp('/purchases?shipment_id=shp_77');
    expect(await screen.findByText('No purchase has this shipment id')).toBeVisible();
    expect(screen.getByRole('link', { name: 'open orphan shipments' })).toHaveAttribute('href', '/attempts?orphan=OPEN');
    await user.click(screen.getByRole('button', { name: 'Show all purchases' }));
    await waitFor(() => expect(router.state.location.search).toBe(''));
    expect(screen.getByLabelText('Shipment id')).toHaveValue('');
  });

  it('say when the end is before the beginning', async () => {
    server.use(on('get', '/purchases', () => ({ items: [], next_cursor: null })));
    renderApp('/purchases?from=2026-11-22&to=2026-11-20');
    expect(await screen.findByText('No purchases match')).toBeVisible();
    expect(screen.getByLabelText('To, day')).toHaveAccessibleDescription('The end has to come after the beginning.');
  });

  it('open by a click on the row, and are as they were when one comes back', async () => {
    servePurchases('second');
    server.use(
      on('get', '/purchases/{purchase_id}', () => ({ ...aNamedPurchase(), refunds: [] })),
      on('get', '/customers/{customer_id}', () => aCustomer()),
    );
    const { user, router } = renderApp('/purchases?status=COMPLETED');
    await user.click(within((await row()).closest('tr') as HTMLElement).getByText('2 × $12.50'));
    await screen.findByRole('heading', { level: 1, name: 'Notebook, A5' });
    expect(router.state.location.pathname).toBe(`/purchases/${PURCHASE_ID}`);
    const [back] = screen.getAllByRole('link', { name: 'Purchases' }).filter((link) => link.getAttribute('href') !== '/purchases');
    expect(back).toHaveAttribute('href', '/purchases?status=COMPLETED');
    await act(() => router.navigate(-1));
    expect(await row()).toBeVisible();
    expect(router.state.location.search).toBe('?status=COMPLETED');
    expect(screen.getByRole('combobox', { name: 'Status' })).toHaveValue('COMPLETED');
  });

  it('can fail, and be asked for again', async () => {
    server.use(on('get', '/purchases', () => problem(503, 'busy', 'The books are too busy', 'Try again.')));
    const { user } = renderApp('/purchases');
    expect(await screen.findByRole('alert')).toHaveTextContent('The purchases could not be loaded');
    servePurchases();
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await row()).toBeVisible();
  });
});

describe('the export of purchases', () => {
  it('holds all pages, with the filters', async () => {
    const asked: URLSearchParams[] = [];
    server.use(
      on('get', '/purchases', ({ query }) => {
        asked.push(query);
        const isFirst = query.get('cursor') === null;
        return { items: [aNamedPurchase({ id: isFirst ? PURCHASE_ID : ATTEMPT_ID })], next_cursor: isFirst ? 'second' : null };
      }),
    );
    const blobs: Blob[] = [];
    URL.createObjectURL = vi.fn((blob: Blob) => {
      blobs.push(blob);
      return 'blob:csv';
    });
    URL.revokeObjectURL = vi.fn();
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
    const { user } = renderApp('/purchases?status=COMPLETED');
    await row();
    await user.click(screen.getByRole('button', { name: 'Export CSV' }));
    expect(await screen.findByText('Exported 2 rows.')).toBeVisible();
    const [first, second] = asked.slice(-2);
    expect(first?.get('status')).toBe('COMPLETED');
    expect(first?.get('limit')).toBe('100');
    expect(second?.get('cursor')).toBe('second');
    const text = await blobs[0]?.text();
    expect(text).toContain(PURCHASE_ID);
    expect(text).toContain(ATTEMPT_ID);
  });

  it('can be cancelled', async () => {
    servePurchases();
    const { user } = renderApp('/purchases');
    await row();
    server.use(on('get', '/purchases', () => stillLoading()));
    await user.click(screen.getByRole('button', { name: 'Export CSV' }));
    await user.click(await screen.findByRole('button', { name: 'Cancel the export' }));
    expect(await screen.findByRole('button', { name: 'Export CSV' })).toBeEnabled();
    expect(screen.queryByText(/failed/)).toBeNull();
  });

  it('has amounts as numbers and times in UTC', () => {
    const csv = toCsv(PURCHASE_CSV, [aNamedPurchase({ promo_code: 'SPRING15', discount: 500, total: 2000 })]);
    const [header, line] = csv.slice(1).split('\r\n').map((text) => text.split(','));
    const cell = (name: string) => line?.at((header?.indexOf(name) ?? 0) - (header?.length ?? 0));
    expect(cell('total')).toBe('20.00');
    expect(cell('currency')).toBe('USD');
    expect(cell('shipment_id')).toBe('shp_59904714caa2412e9f0bffca822e409d');
    expect(csv).toContain('2026-11-22T17:36:19.610487Z');
    expect(csv).toContain('"Notebook, A5"');
  });
});

describe('a moment', () => {
  it('is a day, whole, or a time of it', () => {
    expect(fromMoment('2026-11-22')).toBe(new Date(2026, 10, 22).toISOString());
    expect(untilMoment('2026-11-22')).toBe(new Date(2026, 10, 23).toISOString());
    expect(fromMoment('2026-11-22T09:05')).toBe(new Date(2026, 10, 22, 9, 5).toISOString());
    expect(untilMoment('2026-11-22T09:05')).toBe(new Date(2026, 10, 22, 9, 5).toISOString());
  });

  it.each(['', '2026-02-30', '2026-11-22T24:00', '2026-11-22T9:05', 'today'])('is not %j', (text) => {
    expect(fromMoment(text)).toBeUndefined();
  });
});
