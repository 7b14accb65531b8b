import { act, screen, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { NamedAttempt } from '../../api/types.ts';
import { toCsv } from '../../format/csv.ts';
import { formatDuration } from '../../format/duration.ts';
import { anAttempt, anOrphan, ATTEMPT_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { on, server, stillLoading } from '../../test/server.ts';
import { ATTEMPT_CSV } from './csv.ts';

const named = (changes: Partial<NamedAttempt> = {}): NamedAttempt => ({ ...anAttempt(), customer_name: 'Chiara Lindqvist', ...changes });
/** Half an hour more: the page may take its time to be shown, and whole hours are shown. */
const inHours = (hours: number) => new Date(Date.now() + (hours + 0.5) * 3_600_000).toISOString();

/** Serves the same attempts on every list. */
function serve(...items: readonly NamedAttempt[]): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  server.use(
    on('get', '/purchase-attempts', ({ query }) => {
      asked.push(query);
      return { items: [...items], next_cursor: null };
    }),
  );
  return asked;
}

const ORPHAN: Partial<NamedAttempt> = { state: 'VOIDED', settled_at: '2026-11-24T17:38:20Z', deadline_at: null, orphan: anOrphan() };

/** Serves the two work lists; the others are empty. */
function serveWork({ unknown = [], orphans = [], more = null }: WorkLists): void {
  server.use(
    on('get', '/purchase-attempts', ({ query }) => ({
      items: query.get('orphan') === 'OPEN' ? [...orphans] : query.get('state') === 'UNKNOWN' ? [...unknown] : [],
      next_cursor: query.get('orphan') === 'OPEN' ? more : null,
    })),
  );
}

interface WorkLists {
  readonly unknown?: readonly NamedAttempt[];
  readonly orphans?: readonly NamedAttempt[];
  /** The next page of orphans. */
  readonly more?: string | null;
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the attempts', () => {
  it('are those of unknown outcome, with what is held and how long is left', async () => {
    const asked = serve(named({ deadline_at: inHours(27) }));
    renderApp('/attempts');
    const row = (await screen.findByRole('rowheader', { name: /Notebook, A5/ })).closest('tr') as HTMLElement;
    expect(row).toHaveTextContent('Chiara Lindqvist');
    expect(row).toHaveTextContent('$25.00');
    expect(within(row).getByRole('timer')).toHaveTextContent('1 day, 3 hr left');
    const unknown = asked.find((query) => query.get('state') === 'UNKNOWN');
    expect(unknown?.get('include')).toBe('customer_names');
    expect(unknown?.get('orphan')).toBeNull();
    expect(screen.getByRole('radio', { name: 'Outcome unknown 1' })).toBeChecked();
  });

  it('are counted down, and stand out when the deadline is near or past', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    serve(named({ deadline_at: new Date(Date.now() + 600_000).toISOString() }));
    renderApp('/attempts');
    const timer = await screen.findByRole('timer');
    expect(timer).toHaveTextContent(/^\d+ min(, \d+ sec)? left$/);
    await act(() => vi.advanceTimersByTimeAsync(550_000));
    expect(timer).toHaveTextContent(/^\d+ sec left$/);
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(timer).toHaveTextContent('Deadline passed');
  });

  it('of another state are in the address', async () => {
    const asked = serve(named(ORPHAN));
    const { user, router } = renderApp('/attempts');
    await screen.findByRole('rowheader');
    await user.click(screen.getByRole('radio', { name: 'Voided' }));
    await waitFor(() => expect(router.state.location.search).toBe('?state=VOIDED'));
    await waitFor(() => expect(asked.at(-1)?.get('state')).toBe('VOIDED'));
    expect(await screen.findByText('Orphan shipment open')).toBeVisible();
    await user.click(screen.getByRole('radio', { name: /Outcome unknown/ }));
    await waitFor(() => expect(router.state.location.search).toBe(''));
  });

  it('that are voided say whether a parcel may exist', async () => {
    const closing = { outcome: 'NOT_REAL' as const, reason: 'No parcel', closed_at: '2026-11-25T09:00:00Z', closed_by: 'rita', closed_by_name: 'Rita Sorensen' };
    const others = ['1', '2'].map((digit) => ATTEMPT_ID.replace(/.$/, digit)) as [string, string];
    serve(
      named(ORPHAN),
      named({ ...ORPHAN, id: others[0], orphan: anOrphan({ status: 'CLOSED', closing }) }),
      named({ ...ORPHAN, id: others[1], orphan: null }),
    );
    renderApp('/attempts?state=VOIDED');
    const [, ...rows] = await screen.findAllByRole('row');
    expect(rows.map((row) => within(row).getAllByRole('cell')[2]?.textContent)).toEqual([
      'Orphan shipment open',
      'Orphan shipment closed',
      // The dash is for the eye, the word for screen readers.
      '–None',
    ]);
  });

  it.each([
    ['/attempts', 'No attempt of unknown outcome'],
    ['/attempts?orphan=OPEN', 'No open orphan shipments'],
    ['/attempts?state=PENDING', 'No attempt in progress'],
    ['/attempts?state=VOIDED', 'No attempt was voided'],
    ['/attempts?state=nonsense&orphan=nonsense', 'No attempt of unknown outcome'],
  ])('%s can be empty', async (place, text) => {
    serve();
    renderApp(place);
    expect(await screen.findByText(text)).toBeVisible();
  });

  it('are exported with what the carrier said', () => {
    const carrier = { outcome: 'unknown' as const, message: '=HACK()', shipment_id: null, answered_at: '2026-11-22T17:38:20Z' };
    const csv = toCsv(ATTEMPT_CSV, [named({ carrier })]);
    expect(csv).toContain(ATTEMPT_ID);
    expect(csv).toContain('25.00,USD,unknown,\'=HACK(),2026-11-22T17:38:20Z');
  });

  it('are exported with what became of an orphan shipment', () => {
    const closing = { outcome: 'RECALLED' as const, reason: 'On its way back', closed_at: '2026-11-25T09:00:00Z', closed_by: 'rita', closed_by_name: 'Rita Sorensen' };
    const orphan = anOrphan({ status: 'CLOSED', shipment_id: 'shp_7', closing });
    const csv = toCsv(ATTEMPT_CSV, [named({ ...ORPHAN, orphan })]);
    expect(csv).toContain('CLOSED,2026-11-24T17:38:20.000000Z,shp_7,RECALLED,2026-11-25T09:00:00Z,rita,Rita Sorensen,On its way back');
  });
});

describe('the open orphan shipments', () => {
  it('are a list of their own: customer, product, quantity, since when, and the shipment id if there is one', async () => {
    const other = ATTEMPT_ID.replace(/.$/, '0');
    serveWork({
      unknown: [named({ id: other, product: { ...anAttempt().product, name: 'Oak chair' } })],
      orphans: [named({ ...ORPHAN, orphan: anOrphan({ shipment_id: 'shp_late' }) }), named({ ...ORPHAN, id: other, customer_name: 'Noor Haddad' })],
    });
    const { user, router } = renderApp('/attempts');
    await user.click(await screen.findByRole('radio', { name: 'Orphan shipments 2' }));
    const table = await screen.findByRole('table', { name: 'Attempts: Orphan shipments' });
    expect(router.state.location.search).toBe('?orphan=OPEN');
    const [, late, silent] = within(table).getAllByRole('row') as [HTMLElement, HTMLElement, HTMLElement];
    expect(late).toHaveTextContent(/Notebook, A5\s*2 × NTB-A5-DOT\s*Chiara Lindqvist\s*shp_late/);
    expect(late.querySelector('time')).toHaveAttribute('datetime', '2026-11-24T17:38:20.000000Z');
    expect(within(late).getByRole('link', { name: 'Notebook, A5' })).toHaveAttribute('href', `/attempts/${ATTEMPT_ID}`);
    expect(silent).toHaveTextContent(/Noor Haddad\s*Not known/);
    expect(within(table).queryByText('Oak chair')).toBeNull();
    expect(screen.getByText(/a parcel may have been sent/)).toBeVisible();
  });

  it('are counted with those of unknown outcome, in one control', async () => {
    serveWork({ unknown: [named()], more: 'second', orphans: [named(ORPHAN)] });
    renderApp('/attempts?state=COMPLETED');
    const lists = within(await screen.findByRole('group', { name: 'List' }));
    expect(await lists.findByRole('radio', { name: 'Outcome unknown 1' })).not.toBeChecked();
    expect(await lists.findByRole('radio', { name: 'Orphan shipments 1+' })).not.toBeChecked();
    expect(lists.getByRole('radio', { name: 'Completed' })).toBeChecked();
    expect(lists.getAllByRole('radio')).toHaveLength(5);
  });

  it('never show the rows of another list while they load', async () => {
    serveWork({ unknown: [named()] });
    const { user } = renderApp('/attempts');
    await screen.findByRole('rowheader');
    server.use(on('get', '/purchase-attempts', () => stillLoading()));
    await user.click(screen.getByRole('radio', { name: 'Pending' }));
    expect(await screen.findByText('Loading attempts…')).toBeVisible();
    expect(screen.queryByRole('rowheader')).toBeNull();
  });

  it('are chosen with the arrow keys', async () => {
    serveWork({ orphans: [named(ORPHAN)] });
    const { user, router } = renderApp('/attempts');
    (await screen.findByRole('radio', { name: /Outcome unknown/ })).focus();
    await user.keyboard('{ArrowRight}');
    await waitFor(() => expect(router.state.location.search).toBe('?orphan=OPEN'));
    expect(screen.getByRole('radio', { name: /Orphan shipments/ })).toHaveFocus();
  });
});

describe('a duration', () => {
  it.each([
    [0, '0 seconds'],
    [999, '0 seconds'],
    [61_000, '1 minute, 1 second'],
    [3_600_000, '1 hour'],
    [2 * 86_400_000 + 3 * 3_600_000 + 59_000, '2 days, 3 hours'],
    [-5, '0 seconds'],
  ])('of %i ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds, { locale: 'en' })).toBe(text);
  });
});
