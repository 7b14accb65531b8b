import { act, screen, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { NamedAttempt } from '../../api/types.ts';
import { toCsv } from '../../format/csv.ts';
import { formatDuration } from '../../format/duration.ts';
import { anAttempt, ATTEMPT_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { on, server } from '../../test/server.ts';
import { ATTEMPT_CSV } from './csv.ts';

const named = (changes: Partial<NamedAttempt> = {}): NamedAttempt => ({ ...anAttempt(), customer_name: 'Chiara Lindqvist', ...changes });
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000 + 500).toISOString();

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
    expect(asked[0]?.get('state')).toBe('UNKNOWN');
    expect(asked[0]?.get('include')).toBe('customer_names');
    expect(screen.getByRole('radio', { name: 'Outcome unknown' })).toBeChecked();
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
    const asked = serve(named({ state: 'VOIDED', possible_orphan: true, settled_at: '2026-11-24T17:38:20Z' }));
    const { user, router } = renderApp('/attempts');
    await screen.findByRole('rowheader');
    await user.click(screen.getByRole('radio', { name: 'Voided' }));
    await waitFor(() => expect(router.state.location.search).toBe('?state=VOIDED'));
    await waitFor(() => expect(asked.at(-1)?.get('state')).toBe('VOIDED'));
    expect(screen.getByText('Possible orphan')).toBeVisible();
    await user.click(screen.getByRole('radio', { name: 'Outcome unknown' }));
    await waitFor(() => expect(router.state.location.search).toBe(''));
  });

  it.each([
    ['/attempts', 'No attempt waits for anybody'],
    ['/attempts?state=PENDING', 'Nothing is under way'],
    ['/attempts?state=VOIDED', 'No attempt was voided'],
    ['/attempts?state=nonsense', 'No attempt waits for anybody'],
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
