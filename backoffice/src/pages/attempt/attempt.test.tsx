import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { Attempt, ResolveAttemptRequest } from '../../api/types.ts';
import type { Role } from '../../auth/viewer.ts';
import { aBalance, aCustomer, anAttempt, ATTEMPT_ID, CUSTOMER_ID, PURCHASE_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { noAnswer, on, type Other, problem, server } from '../../test/server.ts';

const COMPLETED: Partial<Attempt> = {
  state: 'COMPLETED',
  purchase_id: PURCHASE_ID,
  shipment_id: 'shp_1',
  settled_at: '2026-11-22T18:00:00Z',
  resolution: { actor: 'rita', reason: 'Asked by phone' },
};
const VOIDED: Partial<Attempt> = { state: 'VOIDED', settled_at: '2026-11-22T18:00:00Z', resolution: { actor: 'rita', reason: 'No parcel' } };

interface Sent {
  readonly body: ResolveAttemptRequest;
  readonly key: string | null;
}

/** `answers`: to resolutions, one after the other. A success is what the attempt is from then on. */
function serve(attempt: Partial<Attempt> = {}, answers: readonly (Attempt | Other)[] = []) {
  const sent: Sent[] = [];
  let current = anAttempt(attempt);
  let reads = 0;
  server.use(
    on('get', '/customers/{customer_id}', () => aCustomer()),
    on('get', '/customers/{customer_id}/credit', () => aBalance({ posted: 3500, held: 2500, available: 1000 })),
    on('get', '/purchase-attempts/{attempt_id}', () => {
      reads += 1;
      return current;
    }),
    on('post', '/purchase-attempts/{attempt_id}/resolution', ({ body, idempotencyKey }) => {
      const answer = answers[sent.length];
      sent.push({ body, key: idempotencyKey });
      if (answer === undefined) throw new Error('no answer to a resolution');
      if (!('other' in answer)) current = answer;
      return answer;
    }),
  );
  return {
    sent,
    reads: () => reads,
    become: (changes: Partial<Attempt>) => {
      current = anAttempt(changes);
    },
  };
}

async function open(roles: readonly Role[] = ['support']) {
  const rendered = renderApp(`/attempts/${ATTEMPT_ID}`, { roles });
  await screen.findByRole('heading', { level: 2, name: 'What happened' });
  return rendered;
}

async function openDialog(button: 'Confirm shipment' | 'Void') {
  const rendered = await open();
  await rendered.user.click(screen.getByRole('button', { name: button }));
  const dialog = within(await screen.findByRole('dialog'));
  const type = (label: string, value: string) => fireEvent.input(dialog.getByLabelText(label), { target: { value } });
  return { ...rendered, dialog, type, confirm: () => dialog.getByRole('button', { name: button }) };
}

describe('an attempt', () => {
  it('tells what was tried, what the carrier said, and how long is left', async () => {
    serve({
      carrier: { outcome: 'unknown', message: 'The Shipment API did not answer.', shipment_id: null, answered_at: '2026-11-22T17:38:20Z' },
      deadline_at: new Date(Date.now() + 3 * 3_600_000 + 500).toISOString(),
      promo_code: 'SPRING15',
    });
    await open();
    const story = within(screen.getByRole('list', { name: 'What happened to the attempt' }));
    expect(story.getByText('The carrier did not say whether it was shipped')).toBeVisible();
    expect(story.getByText('The Shipment API did not answer.')).toBeVisible();
    expect(story.getByText(/Voided at the deadline/)).toBeVisible();
    expect(screen.getByRole('timer')).toHaveTextContent('3 hours left');
    expect(await screen.findByRole('link', { name: 'Chiara Lindqvist' })).toHaveAttribute('href', `/customers/${CUSTOMER_ID}`);
    expect(screen.getByRole('link', { name: 'SPRING15' })).toBeVisible();
    expect(screen.getByText('905 Mesa Verde Drive')).toBeVisible();
  });

  it('that was resolved says by whom and why, and leads to the purchase', async () => {
    serve(COMPLETED);
    await open();
    expect(screen.getByRole('link', { name: 'This purchase' })).toHaveAttribute('href', `/purchases/${PURCHASE_ID}`);
    const story = screen.getByRole('list', { name: 'What happened to the attempt' });
    expect(story).toHaveTextContent(/Completed; \$25\.00 charged.*by rita.*Asked by phone/);
    expect(screen.queryByRole('button', { name: 'Void' })).toBeNull();
    expect(screen.queryByRole('timer')).toBeNull();
  });

  it('that may be an orphan warns of it', async () => {
    serve({ ...VOIDED, possible_orphan: true });
    await open();
    expect(screen.getByText('Possible orphan')).toBeVisible();
    expect(screen.getByText('A parcel may exist that nobody paid for.')).toBeVisible();
  });

  it('that is under way cannot be resolved', async () => {
    serve({ state: 'PENDING', unknown_since: null, deadline_at: null });
    await open();
    expect(screen.getByText('This is under way.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Confirm shipment' })).toBeNull();
  });

  it('is not resolved by who may not', async () => {
    serve();
    await open(['service']);
    expect(screen.queryByRole('button', { name: 'Confirm shipment' })).toBeNull();
  });
});

describe('resolving', () => {
  it('as shipped takes the shipment id and a reason, charges, and shows the result', async () => {
    const { sent } = serve({}, [anAttempt(COMPLETED)]);
    const { dialog, type, confirm, user } = await openDialog('Confirm shipment');
    await waitFor(() =>
      expect(dialog.getByRole('status')).toHaveTextContent('$25.00 held are charged; the purchase is completed; balance $35.00 to $10.00.'),
    );
    await user.click(confirm());
    expect(dialog.getByLabelText('Shipment id')).toHaveAccessibleDescription(/Enter the shipment id/);
    expect(dialog.getByLabelText('Shipment id')).toHaveFocus();
    expect(dialog.getByLabelText('Reason')).toHaveAccessibleDescription(/Enter a reason/);
    type('Shipment id', ' shp_1 ');
    type('Reason', 'Asked by phone');
    const button = confirm();
    fireEvent.click(button);
    fireEvent.click(button);
    expect(await screen.findByText('The purchase is completed; $25.00 are charged.')).toBeVisible();
    expect(sent.map((one) => one.body)).toEqual([{ outcome: 'shipped', shipment_id: 'shp_1', reason: 'Asked by phone' }]);
    expect(await screen.findByRole('link', { name: 'This purchase' })).toBeVisible();
  });

  it('as not shipped gives back what was held', async () => {
    const { sent } = serve({}, [anAttempt(VOIDED)]);
    const { dialog, type, confirm, user } = await openDialog('Void');
    await waitFor(() =>
      expect(dialog.getByRole('status')).toHaveTextContent('$25.00 held go back to the customer; available $10.00 to $35.00.'),
    );
    type('Reason', 'No parcel');
    await user.click(confirm());
    expect(await screen.findByText('The attempt is voided; $25.00 went back to the customer.')).toBeVisible();
    expect(sent.map((one) => one.body)).toEqual([{ outcome: 'not_shipped', reason: 'No parcel' }]);
  });

  it.each([
    ['two words', /no spaces/],
    ['paquet-é', /no spaces and no special/],
  ])('does not send the shipment id %j', async (typed, message) => {
    const { sent } = serve();
    const { dialog, type, confirm, user } = await openDialog('Confirm shipment');
    type('Shipment id', typed);
    type('Reason', 'Asked');
    await user.click(confirm());
    expect(dialog.getByLabelText('Shipment id')).toHaveAccessibleDescription(message);
    expect(sent).toEqual([]);
  });

  it('keeps its key when the answer was lost', async () => {
    const { sent } = serve({}, [noAnswer(), anAttempt(VOIDED)]);
    const { dialog, type, confirm, user } = await openDialog('Void');
    type('Reason', 'No parcel');
    await user.click(confirm());
    await user.click(await dialog.findByRole('button', { name: 'Send again' }));
    await screen.findByText(/The attempt is voided/);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('warns of the other outcome when that one got no answer', async () => {
    serve({}, [noAnswer()]);
    const { dialog, type, confirm, user } = await openDialog('Void');
    type('Reason', 'No parcel');
    await user.click(confirm());
    await dialog.findByRole('button', { name: 'Send again' });
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(screen.getByRole('button', { name: 'Confirm shipment' }));
    const other = within(await screen.findByRole('dialog', { name: 'Confirm the shipment' }));
    expect(other.getByText(/An earlier try with other values got no answer/)).toBeVisible();
  });

  it.each([
    ['attempt-already-resolved', 'The attempt has its final outcome', 'It is VOIDED, and an attempt is resolved once.', 'VOIDED', 'Voided'],
    ['attempt-still-pending', 'The attempt is under way', 'Its outcome may still become known by itself.', 'PENDING', 'Pending'],
  ] as const)('that is refused as %s says so, and shows the attempt as it is', async (slug, title, detail, state, badge) => {
    const serving = serve({}, [problem(409, slug, title, detail, { state })]);
    const { dialog, type, confirm, user } = await openDialog('Void');
    type('Reason', 'No parcel');
    serving.become(state === 'VOIDED' ? VOIDED : { state, unknown_since: null, deadline_at: null });
    const before = serving.reads();
    await user.click(confirm());
    expect(await dialog.findByRole('alert')).toHaveTextContent(`${title}${detail}Correlation id correlation-of-${slug}`);
    await waitFor(() => expect(serving.reads()).toBeGreaterThan(before));
    expect(await dialog.findByText(/Nothing can be resolved here any more/)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    expect(screen.getByText(badge)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Void' })).toBeNull();
  });
});
