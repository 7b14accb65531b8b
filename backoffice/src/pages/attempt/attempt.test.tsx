import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { Attempt, CloseOrphanShipmentRequest, ResolveAttemptRequest } from '../../api/types.ts';
import type { Role } from '../../auth/viewer.ts';
import { aCredit, aCustomer, anAttempt, anOrphan, ATTEMPT_ID, CUSTOMER_ID, PURCHASE_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { noAnswer, on, type Other, problem, server, stillLoading } from '../../test/server.ts';

const COMPLETED: Partial<Attempt> = {
  state: 'COMPLETED',
  purchase_id: PURCHASE_ID,
  shipment_id: 'shp_1',
  settled_at: '2026-11-22T18:00:00Z',
  resolution: { actor: 'rita', actor_name: 'Rita Sorensen', reason: 'Asked by phone' },
};
const VOIDED: Partial<Attempt> = { state: 'VOIDED', settled_at: '2026-11-22T18:00:00Z', resolution: { actor: 'rita', actor_name: 'Rita Sorensen', reason: 'No parcel' } };

const ORPHANED: Partial<Attempt> = { ...VOIDED, resolution: { actor: 'system:recovery', actor_name: null, reason: 'Voided at its deadline' }, orphan: anOrphan() };

interface Sent {
  readonly body: ResolveAttemptRequest | CloseOrphanShipmentRequest;
  readonly key: string | null;
}

/** `answers`: to resolutions and closings, one after the other. A success is what the attempt is from then on. */
function serve(attempt: Partial<Attempt> = {}, answers: readonly (Attempt | Other)[] = []) {
  const sent: Sent[] = [];
  const decide = (body: Sent['body'], key: string | null) => {
    const answer = answers[sent.length];
    sent.push({ body, key });
    if (answer === undefined) throw new Error('no answer to a decision');
    if (!('other' in answer)) current = answer;
    return answer;
  };
  let current = anAttempt(attempt);
  let reads = 0;
  server.use(
    on('get', '/customers/{customer_id}', () => aCustomer()),
    on('get', '/customers/{customer_id}/credit', () => aCredit({ posted: 3500, held: 2500, available: 1000 })),
    on('get', '/purchase-attempts/{attempt_id}', () => {
      reads += 1;
      return current;
    }),
    on('get', '/purchase-attempts', ({ query }) => ({
      items: (query.get('orphan') === 'OPEN' ? current.orphan?.status === 'OPEN' : query.get('state') === current.state)
        ? [{ ...current, customer_name: 'Chiara Lindqvist' }]
        : [],
      next_cursor: null,
    })),
    on('post', '/purchase-attempts/{attempt_id}/resolution', ({ body, idempotencyKey }) => decide(body, idempotencyKey)),
    on('post', '/purchase-attempts/{attempt_id}/orphan-closing', ({ body, idempotencyKey }) => decide(body, idempotencyKey)),
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

async function openDialog(button: 'Confirm shipment' | 'Void' | 'Close orphan shipment') {
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
      // Half an hour more: the page may take its time to be shown, and whole hours are shown.
      deadline_at: new Date(Date.now() + 27.5 * 3_600_000).toISOString(),
      promo_code: 'SPRING15',
    });
    await open();
    const story = within(screen.getByRole('list', { name: 'What happened to the attempt' }));
    expect(story.getByText('The carrier did not say whether it was shipped')).toBeVisible();
    expect(story.getByText('The Shipment API did not answer.')).toBeVisible();
    expect(story.getByText(/Voided at the deadline/)).toBeVisible();
    expect(screen.getByRole('timer')).toHaveTextContent('1 day, 3 hours left');
    expect(await screen.findByRole('link', { name: 'Chiara Lindqvist' })).toHaveAttribute('href', `/customers/${CUSTOMER_ID}`);
    expect(screen.getByRole('link', { name: 'SPRING15' })).toBeVisible();
    expect(screen.getByText('905 Mesa Verde Drive')).toBeVisible();
  });

  it('that was resolved says by whom and why, and leads to the purchase', async () => {
    serve(COMPLETED);
    await open();
    expect(screen.getByRole('link', { name: 'This purchase' })).toHaveAttribute('href', `/purchases/${PURCHASE_ID}`);
    const story = screen.getByRole('list', { name: 'What happened to the attempt' });
    expect(story).toHaveTextContent(/Completed; \$25\.00 charged.*by Rita Sorensen.*Asked by phone/);
    expect(screen.queryByRole('button', { name: 'Void' })).toBeNull();
    expect(screen.queryByRole('timer')).toBeNull();
  });

  it('with an open orphan shipment says what to ask the carrier', async () => {
    serve(ORPHANED);
    await open();
    expect(screen.getByText('Orphan shipment open')).toBeVisible();
    expect(screen.getByText('A parcel may have been sent that was not paid for.').parentElement).toHaveTextContent(
      /Ask the carrier for a shipment of 2 × NTB-A5-DOT to the address below/,
    );
    const story = screen.getByRole('list', { name: 'What happened to the attempt' });
    expect(story).toHaveTextContent(/Voided; \$25\.00 released.*Recorded as a possible orphan shipment/);
  });

  it('whose parcel was sent too late tells its shipment id', async () => {
    const carrier = { outcome: 'shipped' as const, message: null, shipment_id: 'shp_late', answered_at: '2026-11-24T17:38:20Z' };
    serve({ ...VOIDED, carrier, orphan: anOrphan({ shipment_id: 'shp_late' }) });
    await open();
    expect(screen.getByText('A parcel was sent that was not paid for.').parentElement).toHaveTextContent(/shipment shp_late after/);
    expect(screen.getByRole('button', { name: 'Copy the shipment id' })).toBeVisible();
    expect(screen.getByText('Recorded as an orphan shipment')).toBeVisible();
  });

  it('with a closed orphan shipment tells who closed it, when, why, and as what', async () => {
    const closing = { outcome: 'WRITTEN_OFF' as const, reason: 'Not worth the return', closed_at: '2026-11-25T09:00:00Z', closed_by: 'amir', closed_by_name: 'Amir Haddad' };
    serve({ ...ORPHANED, orphan: anOrphan({ status: 'CLOSED', closing }) });
    await open();
    const entry = screen.getByText('Orphan shipment closed: written off, the customer keeps the parcel').closest('li') as HTMLElement;
    expect(entry).toHaveTextContent(/by Amir Haddad.*Not worth the return/);
    expect(entry.querySelector('time')).toHaveAttribute('datetime', '2026-11-25T09:00:00Z');
    expect(screen.getByText('Orphan shipment closed')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Close orphan shipment' })).toBeNull();
    expect(screen.queryByText(/not paid for/)).toBeNull();
  });

  it('whose parcel turned up after the orphan shipment was closed tells both, and can be closed again', async () => {
    const closing = { outcome: 'NOT_REAL' as const, reason: 'Asked by phone', closed_at: '2026-11-24T18:00:00Z', closed_by: 'amir', closed_by_name: 'Amir Haddad' };
    serve({ ...ORPHANED, orphan: anOrphan({ since: '2026-11-24T18:05:00Z', shipment_id: 'shp_late', earlier_closings: [closing] }) });
    await open();
    const entry = screen.getByText('Orphan shipment closed: no parcel was sent').closest('li') as HTMLElement;
    expect(entry).toHaveTextContent(/by Amir Haddad.*Asked by phone/);
    expect(screen.getByText('Recorded as an orphan shipment').closest('li')?.previousElementSibling).toBe(entry);
    expect(screen.getByRole('button', { name: 'Close orphan shipment' })).toBeVisible();
  });

  it('whose carrier has answered need not be resolved by a person', async () => {
    serve({ carrier: { outcome: 'shipped', message: null, shipment_id: 'shp_1', answered_at: '2026-11-22T17:38:20Z' } });
    await open();
    expect(screen.getByText('The carrier has answered.')).toBeVisible();
    expect(screen.queryByText('It is not known whether this was shipped.')).toBeNull();
  });

  it('that is in progress cannot be resolved', async () => {
    serve({ state: 'PENDING', unknown_since: null, deadline_at: null });
    await open();
    expect(screen.getByText('This is in progress.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Confirm shipment' })).toBeNull();
  });

  it.each([
    [{}, 'Confirm shipment'],
    [ORPHANED, 'Close orphan shipment'],
  ] as const)('is only decided by support: %j has no button %s for others', async (attempt, button) => {
    serve(attempt);
    const { unmount } = await open(['service']);
    expect(screen.queryByRole('button', { name: button })).toBeNull();
    unmount();
    await open(['support']);
    expect(screen.getByRole('button', { name: button })).toBeVisible();
  });
});

describe('resolving', () => {
  it('as shipped takes the shipment id and a reason, charges, and shows the result', async () => {
    const { sent } = serve({}, [anAttempt(COMPLETED)]);
    const { dialog, type, confirm, user } = await openDialog('Confirm shipment');
    await waitFor(() =>
      expect(dialog.getByRole('status')).toHaveTextContent('The $25.00 hold will be charged and the purchase completed; balance $35.00 to $10.00.'),
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
    expect(await screen.findByText('The purchase is completed. $25.00 was charged.')).toBeVisible();
    expect(sent.map((one) => one.body)).toEqual([{ outcome: 'shipped', shipment_id: 'shp_1', reason: 'Asked by phone' }]);
    expect(await screen.findByRole('link', { name: 'This purchase' })).toBeVisible();
  });

  it('as not shipped releases the hold', async () => {
    const { sent } = serve({}, [anAttempt(VOIDED)]);
    const { dialog, type, confirm, user } = await openDialog('Void');
    await waitFor(() =>
      expect(dialog.getByRole('status')).toHaveTextContent('The $25.00 hold will be released; available $10.00 to $35.00.'),
    );
    type('Reason', 'No parcel');
    await user.click(confirm());
    expect(await screen.findByText('The attempt is voided. The $25.00 hold was released.')).toBeVisible();
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
    expect(other.getByText(/An earlier try got no answer.*: void, “No parcel”\..*if that try worked, this one will be refused/)).toBeVisible();
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
    expect(await dialog.findByText(/This attempt can no longer be resolved here/)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    expect(screen.getByText(badge)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Void' })).toBeNull();
  });

  it('with a shipment id that is taken leads to the purchase that has it, until another id is entered', async () => {
    const other = '95cdc38b-2877-53de-82e1-d549e707e92c';
    const detail = `It is the shipment of purchase ${other}. Nothing was changed.`;
    const taken = problem(409, 'shipment-id-taken', 'The shipment id belongs to another purchase', detail, { purchase_id: other });
    const { sent } = serve({}, [taken, anAttempt(COMPLETED)]);
    const { dialog, type, confirm, user } = await openDialog('Confirm shipment');
    type('Shipment id', 'shp_9');
    type('Reason', 'Asked by phone');
    await user.click(confirm());
    const alert = within(await dialog.findByRole('alert'));
    expect(alert.getByRole('link', { name: 'Open the purchase that has this shipment id' })).toHaveAttribute('href', `/purchases/${other}`);
    expect(dialog.getByLabelText('Shipment id')).toHaveAccessibleDescription(/This id belongs to another purchase/);
    type('Shipment id', 'shp_1');
    expect(dialog.getByLabelText('Shipment id')).not.toHaveAccessibleDescription(/another purchase/);
    await user.click(confirm());
    await screen.findByText(/The purchase is completed/);
    expect(sent[1]?.key).not.toBe(sent[0]?.key);
  });

  it.each([
    [409, 'carrier-answered-otherwise', /You do not have to resolve this attempt\. Look at it again in a few minutes\./],
    [403, 'amount-above-limit', /Ask an administrator to resolve this attempt/],
  ] as const)('that is refused with %i %s says what to do', async (status, slug, advice) => {
    serve({}, [problem(status, slug, 'Refused', 'Nothing was changed.')]);
    const { dialog, type, confirm, user } = await openDialog('Void');
    type('Reason', 'No parcel');
    await user.click(confirm());
    expect(await dialog.findByRole('alert')).toHaveTextContent(advice);
    expect(dialog.queryByRole('button', { name: 'Send again' })).toBeNull();
  });
});

describe('closing an orphan shipment', () => {
  const closed = (outcome: CloseOrphanShipmentRequest['outcome'], reason: string): Attempt =>
    anAttempt({
      ...ORPHANED,
      orphan: anOrphan({ status: 'CLOSED', closing: { outcome, reason, closed_at: '2026-11-25T09:00:00Z', closed_by: 'rita', closed_by_name: 'Rita Sorensen' } }),
    });

  it.each([
    ['Called back: there is a parcel, and the carrier returns it', 'RECALLED', 'the parcel was called back'],
    ['Written off: there is a parcel, and the customer keeps it', 'WRITTEN_OFF', 'written off, the customer keeps the parcel'],
    ['No parcel was sent', 'NOT_REAL', 'no parcel was sent'],
  ] as const)('as %j sends %s once, and shows it', async (choice, outcome, done) => {
    const { sent } = serve(ORPHANED, [closed(outcome, 'Asked by phone')]);
    const { dialog, type, confirm, user } = await openDialog('Close orphan shipment');
    expect(dialog.getByRole('status')).toHaveTextContent('No money moves.');
    await user.click(dialog.getByRole('radio', { name: choice }));
    type('Reason', ' Asked by phone ');
    const button = confirm();
    fireEvent.click(button);
    fireEvent.click(button);
    expect(await screen.findByText(`The orphan shipment is closed: ${done}.`)).toBeVisible();
    expect(sent.map((one) => one.body)).toEqual([{ outcome, reason: 'Asked by phone' }]);
    const entry = (await screen.findByText(`Orphan shipment closed: ${done}`)).closest('li');
    expect(entry).toHaveTextContent(/by Rita Sorensen.*Asked by phone/);
    expect(screen.queryByRole('button', { name: 'Close orphan shipment' })).toBeNull();
  });

  it('shows the answer before the next read, and moves the focus to the heading', async () => {
    serve(ORPHANED, [closed('NOT_REAL', 'No parcel')]);
    const { dialog, type, confirm, user } = await openDialog('Close orphan shipment');
    await user.click(dialog.getByRole('radio', { name: 'No parcel was sent' }));
    type('Reason', 'No parcel');
    server.use(on('get', '/purchase-attempts/{attempt_id}', () => stillLoading()));
    await user.click(confirm());
    expect(await screen.findByText('Orphan shipment closed: no parcel was sent')).toBeVisible();
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Close orphan shipment' })).toBeNull());
    // The button that opened the dialog is gone.
    await waitFor(() => expect(screen.getByRole('heading', { level: 1 })).toHaveFocus());
  });

  it('cannot say that no parcel was sent where the carrier has told its shipment id', async () => {
    serve({ ...ORPHANED, orphan: anOrphan({ shipment_id: 'shp_late' }) });
    const { dialog } = await openDialog('Close orphan shipment');
    expect(dialog.getAllByRole('radio')).toHaveLength(2);
    expect(dialog.queryByRole('radio', { name: 'No parcel was sent' })).toBeNull();
  });

  it('says so if the same request closed it before its parcel turned up', async () => {
    const [earlier] = [closed('NOT_REAL', 'No parcel').orphan?.closing].filter((one) => one != null);
    serve(ORPHANED, [anAttempt({ ...ORPHANED, orphan: anOrphan({ shipment_id: 'shp_late', earlier_closings: earlier ? [earlier] : [] }) })]);
    const { dialog, type, confirm, user } = await openDialog('Close orphan shipment');
    await user.click(dialog.getByRole('radio', { name: 'No parcel was sent' }));
    type('Reason', 'No parcel');
    await user.click(confirm());
    expect(await screen.findByText('The orphan shipment is open again: its parcel has turned up.')).toBeVisible();
    expect(screen.getByText('Orphan shipment closed: no parcel was sent')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Close orphan shipment' })).toBeVisible();
  });

  it('takes it off the open list without a reload', async () => {
    serve(ORPHANED, [closed('RECALLED', 'On its way back')]);
    const { user, router } = renderApp('/attempts?orphan=OPEN');
    await user.click(await screen.findByRole('link', { name: 'Notebook, A5' }));
    await user.click(await screen.findByRole('button', { name: 'Close orphan shipment' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByRole('radio', { name: /Called back/ }));
    fireEvent.input(dialog.getByLabelText('Reason'), { target: { value: 'On its way back' } });
    await user.click(dialog.getByRole('button', { name: 'Close orphan shipment' }));
    await screen.findByText(/The orphan shipment is closed/);
    const [back] = screen.getAllByRole('link', { name: 'Attempts' }).filter((link) => link.getAttribute('href') === '/attempts?orphan=OPEN');
    await user.click(back as HTMLElement);
    expect(await screen.findByText('No open orphan shipments')).toBeVisible();
    expect(screen.getByRole('radio', { name: 'Orphan shipments 0' })).toBeChecked();
    expect(router.state.location.search).toBe('?orphan=OPEN');
  });

  it('needs an outcome and a reason, and moves the focus to what is missing', async () => {
    const { sent } = serve(ORPHANED, []);
    const { dialog, type, confirm, user } = await openDialog('Close orphan shipment');
    await user.click(confirm());
    const group = dialog.getByRole('radiogroup', { name: 'What became of the parcel' });
    expect(group).toHaveAccessibleDescription(/Choose what became of the parcel/);
    expect(group).toBeInvalid();
    expect(group).toContainElement(document.activeElement as HTMLElement);
    expect(dialog.getByLabelText('Reason')).toHaveAccessibleDescription(/Enter a reason/);
    for (const radio of dialog.getAllByRole('radio')) expect(radio).not.toBeChecked();
    await user.click(dialog.getByRole('radio', { name: 'No parcel was sent' }));
    type('Reason', '   ');
    await user.click(confirm());
    expect(dialog.getByLabelText('Reason')).toHaveFocus();
    expect(sent).toEqual([]);
  });

  it('as written off says what to do if the customer pays', async () => {
    serve(ORPHANED);
    const { dialog, user } = await openDialog('Close orphan shipment');
    await user.click(dialog.getByRole('radio', { name: /Written off/ }));
    expect(dialog.getByRole('status')).toHaveTextContent(/If the customer agreed to pay for the parcel, deduct its price/);
  });

  it('keeps its key when the answer was lost, and has another one for another outcome', async () => {
    const { sent } = serve(ORPHANED, [noAnswer(), noAnswer(), closed('NOT_REAL', 'No parcel')]);
    const { dialog, type, confirm, user } = await openDialog('Close orphan shipment');
    await user.click(dialog.getByRole('radio', { name: 'No parcel was sent' }));
    type('Reason', 'No parcel');
    await user.click(confirm());
    await dialog.findByRole('button', { name: 'Send again' });
    await user.click(dialog.getByRole('radio', { name: /Called back/ }));
    expect(dialog.getByText(/if that try worked, this one will be refused/)).toBeVisible();
    await user.click(confirm());
    await dialog.findByRole('button', { name: 'Send again' });
    await user.click(dialog.getByRole('radio', { name: 'No parcel was sent' }));
    expect(dialog.getByText(/This is the same as an earlier try/)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Send again' }));
    await screen.findByText(/The orphan shipment is closed/);
    expect(sent[1]?.key).not.toBe(sent[0]?.key);
    expect(sent[2]).toEqual(sent[0]);
  });

  it('that another rep has closed says so, and shows how', async () => {
    const refusal = problem(409, 'orphan-already-closed', 'The orphan shipment was closed before', 'Nothing was changed.');
    const serving = serve(ORPHANED, [refusal]);
    const { dialog, type, confirm, user } = await openDialog('Close orphan shipment');
    await user.click(dialog.getByRole('radio', { name: 'No parcel was sent' }));
    type('Reason', 'No parcel');
    serving.become({ ...closed('RECALLED', 'Called back by Amir') });
    await user.click(confirm());
    expect(await dialog.findByRole('alert')).toHaveTextContent('The orphan shipment was closed before');
    expect(await dialog.findByText('The orphan shipment is closed already.')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    expect(screen.getByText('Called back by Amir')).toBeVisible();
  });
});
