import { act, screen, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';

import { ATTEMPT_ID, PURCHASE_ID, aCredit, aNamedPurchase } from '../test/examples.ts';
import { renderApp } from '../test/render-app.tsx';
import { on, problem, server, stillLoading } from '../test/server.ts';

const heading = (name: string) => screen.findByRole('heading', { level: 1, name });

describe('the shell', () => {
  // What the pages read on which a test happens to stand.
  beforeEach(() => {
    server.use(
      on('get', '/customers', () => ({ items: [], next_cursor: null })),
      on('get', '/customers/{customer_id}/credit', () => aCredit()),
      on('get', '/customers/{customer_id}/credit/entries', () => ({ items: [], next_cursor: null })),
    );
  });

  it('leads from / to the customers', async () => {
    const { router } = renderApp('/');
    await heading('Customers');
    expect(router.state.location.pathname).toBe('/customers');
  });

  it('says that there is no such page', async () => {
    renderApp('/no/such/page');
    await heading('Page not found');
    expect(document.title).toBe('Page not found · Till');
  });

  it('moves the focus to the heading of another page, but not of the first', async () => {
    server.use(on('get', '/promo-codes', () => ({ items: [], next_cursor: null })));
    const { user } = renderApp('/customers');
    expect(await heading('Customers')).not.toHaveFocus();
    await user.click(screen.getByRole('link', { name: 'Promo codes' }));
    expect(await heading('Promo codes')).toHaveFocus();
  });

  it('tells who is signed in, and signs out', async () => {
    const { user, session } = renderApp('/customers', { roles: ['admin'] });
    await heading('Customers');
    const button = screen.getByRole('button', { name: /Rita Sorensen/ });
    await user.click(button);
    expect(button).toHaveAttribute('aria-expanded', 'true');
    expect(screen.getByText(/administrator/)).toBeVisible();
    await user.keyboard('{Escape}');
    expect(button).toHaveAttribute('aria-expanded', 'false');
    expect(button).toHaveFocus();
    await user.click(button);
    await user.click(screen.getByRole('button', { name: 'Sign out' }));
    expect(session.signOut).toHaveBeenCalledOnce();
  });

  it('remembers the theme that was chosen', async () => {
    const { user } = renderApp('/customers');
    await heading('Customers');
    expect(document.documentElement).toHaveAttribute('data-cui-theme', 'light');
    await user.click(screen.getByRole('button', { name: 'Use the dark theme' }));
    expect(document.documentElement).toHaveAttribute('data-cui-theme', 'dark');
    expect(localStorage.getItem('till-theme')).toBe('dark');
  });

  it('says that the session has ended', async () => {
    const { user, session } = renderApp('/customers', { session: { ended: true } });
    await heading('Customers');
    expect(screen.getByText('Your session has ended.')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Sign in again' }));
    expect(session.signInAgain).toHaveBeenCalledOnce();
  });
});

describe('a list', () => {
  const servePages = () =>
    server.use(
      on('get', '/purchases', ({ query }) => {
        const cursor = query.get('cursor');
        if (cursor === null) return { items: [aNamedPurchase({ id: PURCHASE_ID })], next_cursor: 'second' };
        const name = `On page ${cursor}`;
        const purchase = aNamedPurchase({ id: ATTEMPT_ID });
        return { items: [{ ...purchase, product: { ...purchase.product, name } }], next_cursor: cursor === 'second' ? 'third' : null };
      }),
    );
  const page = () => within(screen.getByRole('navigation', { name: 'Pages of purchases' }));

  it('is paged forth and back, in the address, and is as it was on Back', async () => {
    servePages();
    const { user, router } = renderApp('/purchases');
    await screen.findByRole('link', { name: 'Notebook, A5' });
    expect(page().getByRole('button', { name: 'Previous page' })).toBeDisabled();
    await user.click(page().getByRole('button', { name: 'Next page' }));
    await screen.findByRole('link', { name: 'On page second' });
    await user.click(page().getByRole('button', { name: 'Next page' }));
    await screen.findByRole('link', { name: 'On page third' });
    expect(router.state.location.search).toBe('?cursor=third');
    expect(page().getByRole('button', { name: 'Next page' })).toBeDisabled();
    await user.click(page().getByRole('button', { name: 'Previous page' }));
    await screen.findByRole('link', { name: 'On page second' });
    expect(router.state.location.search).toBe('?cursor=second');
    await act(() => router.navigate(-1));
    await screen.findByRole('link', { name: 'On page third' });
    await user.click(page().getByRole('button', { name: 'First page' }));
    await screen.findByRole('link', { name: 'Notebook, A5' });
    expect(router.state.location.search).toBe('');
  });

  /** Pages of which the second, and the first of another filter, come when they are let through. */
  const serveSlowly = () => {
    let letThrough = () => {};
    const gate = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    server.use(
      on('get', '/purchases', async ({ query }) => {
        const [cursor, status] = [query.get('cursor'), query.get('status')];
        if (cursor === null && status === null) return { items: [aNamedPurchase()], next_cursor: 'second' };
        await gate;
        const purchase = aNamedPurchase({ id: ATTEMPT_ID });
        return { items: [{ ...purchase, product: { ...purchase.product, name: `After ${cursor ?? status}` } }], next_cursor: 'another' };
      }),
    );
    return letThrough;
  };

  it('goes one page on by a double click, and keeps the focus', async () => {
    const letThrough = serveSlowly();
    const { user, router } = renderApp('/purchases');
    await screen.findByRole('link', { name: 'Notebook, A5' });
    await user.dblClick(page().getByRole('button', { name: 'Next page' }));
    expect(router.state.location.search).toBe('?cursor=second');
    expect(page().getByRole('button', { name: 'Next page' })).toHaveFocus();
    expect(page().getByRole('button', { name: 'Next page' })).toHaveAttribute('aria-busy', 'true');
    letThrough();
    await screen.findByRole('link', { name: 'After second' });
    expect(page().getByRole('button', { name: 'Next page' })).toHaveFocus();
    await user.click(page().getByRole('button', { name: 'Previous page' }));
    await screen.findByRole('link', { name: 'Notebook, A5' });
    expect(router.state.location.search).toBe('');
  });

  it('does not take the cursor of a list with other filters', async () => {
    const letThrough = serveSlowly();
    const { user, router } = renderApp('/purchases');
    await screen.findByRole('link', { name: 'Notebook, A5' });
    await user.selectOptions(screen.getByRole('combobox', { name: 'Status' }), 'Completed');
    await user.click(page().getByRole('button', { name: 'Next page' }));
    expect(router.state.location.search).toBe('?status=COMPLETED');
    letThrough();
    await screen.findByRole('link', { name: 'After COMPLETED' });
    await user.click(page().getByRole('button', { name: 'Next page' }));
    expect(router.state.location.search).toBe('?status=COMPLETED&cursor=another');
  });

  it('opens on a page that was shared', async () => {
    servePages();
    renderApp('/purchases?cursor=second');
    await screen.findByRole('link', { name: 'On page second' });
    expect(page().getByRole('button', { name: 'Previous page' })).toBeDisabled();
    expect(page().getByRole('button', { name: 'First page' })).toBeEnabled();
  });

  it('is loading, empty, or failed', async () => {
    server.use(on('get', '/purchases', () => stillLoading()));
    const loading = renderApp('/purchases');
    expect(await screen.findByText('Loading purchases…')).toBeVisible();
    loading.unmount();
    server.use(on('get', '/purchases', () => ({ items: [], next_cursor: null })));
    const empty = renderApp('/purchases');
    expect(await screen.findByText(/No purchases/)).toBeVisible();
    empty.unmount();
    server.use(on('get', '/purchases', () => problem(503, 'unavailable', 'Unavailable', 'Try again later.')));
    const { user } = renderApp('/purchases');
    expect(await screen.findByText(/Try again later/)).toBeVisible();
    servePages();
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('link', { name: 'Notebook, A5' })).toBeVisible();
  });
});
