import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { delay } from 'msw';
import { describe, expect, it } from 'vitest';

import type { CreateRefundQuoteRequest, CreateRefundRequest, PurchaseDetail, Refund, RefundQuote } from '../../api/types.ts';
import type { Role } from '../../auth/viewer.ts';
import { aCustomer, aPurchase, CUSTOMER_ID, PURCHASE_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { noAnswer, on, type Other, problem, replayed, server } from '../../test/server.ts';

function aRefund(changes: Partial<Refund> = {}): Refund {
  return {
    id: 'f1cdc38b-2877-53de-82e1-d549e707e92c',
    purchase_id: PURCHASE_ID,
    customer_id: CUSTOMER_ID,
    amount: 1250,
    quantity: 1,
    currency: 'USD',
    reason: 'Torn cover',
    created_at: '2026-11-23T09:00:00Z',
    created_by: 'rita',
    created_by_name: 'Rita Sorensen',
    refunded: 1250,
    refundable: 1250,
    balance_after: 5250,
    entry_sequence: 3,
    ...changes,
  };
}

function aQuote(wish: CreateRefundQuoteRequest, changes: Partial<RefundQuote> = {}): RefundQuote {
  const amount = wish.amount ?? (wish.quantity === undefined || wish.quantity === null ? 2500 : wish.quantity * 1250);
  return {
    purchase_id: PURCHASE_ID,
    customer_id: CUSTOMER_ID,
    amount,
    quantity: wish.quantity ?? null,
    currency: 'USD',
    refunded_after: amount,
    refundable_after: 2500 - amount,
    balance_before: 4000,
    balance_after: 4000 + amount,
    would_succeed: true,
    problem: null,
    ...changes,
  };
}

interface Sent {
  readonly body: CreateRefundRequest;
  readonly key: string | null;
}

interface Serving {
  readonly purchase?: Partial<PurchaseDetail>;
  readonly quote?: (wish: CreateRefundQuoteRequest) => RefundQuote | Other | Promise<RefundQuote | Other>;
  /** The answers to refunds, one after the other; the last is repeated. */
  readonly answers?: readonly (() => Refund | Other)[];
}

function serve({ purchase = {}, quote = aQuote, answers = [() => aRefund()] }: Serving = {}) {
  const sent: Sent[] = [];
  const wishes: CreateRefundQuoteRequest[] = [];
  let reads = 0;
  server.use(
    on('get', '/customers/{customer_id}', () => aCustomer()),
    on('get', '/purchases/{purchase_id}', () => {
      reads += 1;
      return { ...aPurchase(), refunds: [], ...purchase };
    }),
    on('post', '/purchases/{purchase_id}/refund-quotes', ({ body }) => {
      wishes.push(body);
      return quote(body);
    }),
    on('post', '/purchases/{purchase_id}/refunds', ({ body, idempotencyKey }) => {
      const answer = answers[Math.min(sent.length, answers.length - 1)];
      sent.push({ body, key: idempotencyKey });
      if (answer === undefined) throw new Error('no answer to a refund');
      return answer();
    }),
  );
  return { sent, wishes, reads: () => reads };
}

async function openPurchase(roles: readonly Role[] = ['support']) {
  const rendered = renderApp(`/purchases/${PURCHASE_ID}`, { roles });
  await screen.findByRole('heading', { level: 2, name: 'As it was sold' });
  return rendered;
}

async function openDialog() {
  const rendered = await openPurchase();
  await rendered.user.click(screen.getByRole('button', { name: 'Refund' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Refund this purchase' }));
  const confirm = () => dialog.getByRole('button', { name: /^Refund|Send again|Working/ });
  return { ...rendered, dialog, confirm, reason: (text: string) => fireEvent.input(dialog.getByLabelText('Reason'), { target: { value: text } }) };
}

describe('a purchase', () => {
  it('is shown as it was sold', async () => {
    serve({
      purchase: {
        promo_code: 'SPRING15',
        promo_discount: { type: 'percentage', percent: 20, max_amount: 2500 },
        discount: 500,
        total: 2000,
        refunded: 750,
        refundable: 1250,
        refunded_quantity: 1,
        status: 'PARTIALLY_REFUNDED',
        refunds: [aRefund({ amount: 750, reason: 'Torn cover', balance_after: 4750, refundable: 1250 })],
      },
    });
    await openPurchase();
    const sum = within(screen.getByRole('table', { name: 'What the purchase cost' }));
    expect(sum.getByRole('row', { name: /2 × \$12\.50 unit price \$25\.00/ })).toBeVisible();
    expect(sum.getByRole('row', { name: 'Discount, promo code SPRING15 (20% off, at most $25.00 at the time) -$5.00' })).toBeVisible();
    expect(sum.getByRole('row', { name: 'Total $20.00' })).toBeVisible();
    expect(sum.getByRole('row', { name: 'Refunded, 1 of 2 as units $7.50' })).toBeVisible();
    expect(sum.getByRole('row', { name: 'Refundable $12.50' })).toBeVisible();
    expect(screen.getByText('905 Mesa Verde Drive')).toBeVisible();
    expect(screen.getByText('shp_59904714caa2412e9f0bffca822e409d')).toBeVisible();
    expect(await screen.findByRole('link', { name: 'Chiara Lindqvist' })).toHaveAttribute('href', `/customers/${CUSTOMER_ID}`);
    const story = within(screen.getByRole('list', { name: 'Timeline of the purchase' })).getAllByRole('listitem');
    expect(story).toHaveLength(2);
    expect(story[0]).toHaveTextContent(/Sold for \$20\.00.*by shop/);
    expect(story[1]).toHaveTextContent(/\$7\.50 refunded for 1 unit.*by Rita Sorensen.*Torn cover.*Balance after it \$47\.50; \$12\.50 of the purchase/);
  });

  it('that does not exist is said not to', async () => {
    server.use(on('get', '/purchases/{purchase_id}', () => problem(404, 'purchase-not-found', 'There is no such purchase', 'Check it.')));
    renderApp(`/purchases/${PURCHASE_ID}`);
    expect(await screen.findByText('There is no purchase with this id.')).toBeVisible();
  });

  it('has no refund where nothing is left', async () => {
    serve({ purchase: { refundable: 0, refunded: 2500, status: 'REFUNDED' } });
    await openPurchase();
    expect(screen.queryByRole('button', { name: 'Refund' })).toBeNull();
  });

  it.each([['customer'], ['service']] as const)('has no refund for the role %s', async (role) => {
    serve();
    await openPurchase([role]);
    expect(screen.queryByRole('button', { name: 'Refund' })).toBeNull();
  });
});

describe('what a refund will do is shown before', () => {
  it('of all that is left', async () => {
    const { wishes } = serve();
    const { dialog } = await openDialog();
    expect(await dialog.findByRole('status')).toHaveTextContent(
      '$25.00 back to the customer; $0.00 of this purchase remains refundable; balance $40.00 to $65.00.',
    );
    expect(wishes).toEqual([{}]);
  });

  it('of an amount', async () => {
    serve();
    const { dialog, user } = await openDialog();
    await user.click(dialog.getByRole('radio', { name: 'An amount' }));
    await user.type(dialog.getByLabelText('Amount to refund'), '12.50');
    await waitFor(() =>
      expect(dialog.getByRole('status')).toHaveTextContent(
        '$12.50 back to the customer; $12.50 of this purchase remains refundable; balance $40.00 to $52.50.',
      ),
    );
  });

  it('of so many units', async () => {
    serve();
    const { dialog, user } = await openDialog();
    await user.click(dialog.getByRole('radio', { name: 'By quantity' }));
    expect(dialog.getByLabelText('Units to refund')).toHaveAccessibleDescription('2 of 2 can still be refunded as units.');
    await waitFor(() =>
      expect(dialog.getByRole('status')).toHaveTextContent('$12.50 back to the customer for 1 unit; $12.50 of this purchase remains refundable'),
    );
  });

  it('by the latest wish, whichever answer comes last', async () => {
    const { wishes } = serve({
      quote: async (wish) => {
        if (wish.amount === 100) await delay(900);
        return aQuote(wish);
      },
    });
    const { dialog, user } = await openDialog();
    await user.click(dialog.getByRole('radio', { name: 'An amount' }));
    fireEvent.input(dialog.getByLabelText('Amount to refund'), { target: { value: '1' } });
    await waitFor(() => expect(wishes).toContainEqual({ amount: 100 }));
    fireEvent.input(dialog.getByLabelText('Amount to refund'), { target: { value: '2' } });
    await waitFor(() => expect(dialog.getByRole('status')).toHaveTextContent('$2.00 back'));
    await delay(1000);
    expect(dialog.getByRole('status')).toHaveTextContent('$2.00 back');
  });

  it('and is asked once for what is typed quickly', async () => {
    const { wishes } = serve();
    const { dialog, user } = await openDialog();
    await user.click(dialog.getByRole('radio', { name: 'An amount' }));
    for (const value of ['1', '12', '12.', '12.5']) {
      fireEvent.input(dialog.getByLabelText('Amount to refund'), { target: { value } });
    }
    await waitFor(() => expect(dialog.getByRole('status')).toHaveTextContent('$12.50 back'));
    expect(wishes.filter((wish) => wish.amount !== undefined)).toEqual([{ amount: 1250 }]);
  });

  it('or what it would be refused with, and then nothing is sent', async () => {
    const refusal = { title: 'More than you may move at once', detail: '600.00 USD is above your limit of 500.00 USD for one operation.' };
    const { sent } = serve({
      quote: (wish) =>
        aQuote(wish, {
          balance_after: null,
          refundable_after: null,
          would_succeed: false,
          problem: { type: 'urn:problem-type:till:amount-above-limit', status: 403, correlation_id: 'c', ...refusal },
        }),
    });
    const { dialog, user, confirm, reason } = await openDialog();
    reason('Torn');
    await waitFor(() => expect(dialog.getByRole('status')).toHaveTextContent(`${refusal.title}$600.00 is above your limit of $500.00 for one operation.`));
    await user.click(confirm());
    expect(sent).toEqual([]);
  });

  it('or that it could not be worked out', async () => {
    const { sent } = serve({ quote: () => problem(503, 'busy', 'The books are too busy', 'Try in a moment.') });
    const { dialog, user, confirm, reason } = await openDialog();
    reason('Torn');
    await waitFor(() => expect(dialog.getByRole('status')).toHaveTextContent('The books are too busy. The server is busy. Try again in a moment.'));
    await user.click(confirm());
    expect(sent).toEqual([]);
    serve();
    await user.click(dialog.getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(dialog.getByRole('status')).toHaveTextContent('$25.00 back to the customer'));
  });
});

describe('a refund', () => {
  const untilQuoted = (dialog: ReturnType<typeof within>) => waitFor(() => expect(dialog.getByRole('status')).toHaveTextContent('back to the customer'));

  it('wants a reason and an amount, and says so at the fields', async () => {
    const { sent } = serve();
    const { dialog, user, confirm } = await openDialog();
    await user.click(dialog.getByRole('radio', { name: 'An amount' }));
    await user.type(dialog.getByLabelText('Amount to refund'), '1,250');
    await user.click(confirm());
    expect(dialog.getByLabelText('Amount to refund')).toHaveAccessibleDescription(/USD has 2 decimal places/);
    expect(dialog.getByLabelText('Reason')).toHaveAccessibleDescription(/Enter a reason/);
    expect(dialog.getByLabelText('Amount to refund')).toHaveFocus();
    expect(sent).toEqual([]);
  });

  it('is sent once for a double click, announced, and shown', async () => {
    const { sent, reads } = serve();
    const { dialog, confirm, reason } = await openDialog();
    reason(' Torn cover ');
    await untilQuoted(dialog);
    const before = reads();
    const button = confirm();
    fireEvent.click(button);
    fireEvent.click(button);
    expect(await screen.findByText('$12.50 refunded. The customer’s balance is $52.50.')).toBeVisible();
    expect(sent.map((one) => one.body)).toEqual([{ reason: 'Torn cover', expected_amount: 2500 }]);
    expect(screen.queryByRole('dialog')).toBeNull();
    await waitFor(() => expect(reads()).toBeGreaterThan(before));
  });

  it('keeps its key when the answer was lost, and has another for another payload', async () => {
    const { sent } = serve({ answers: [noAnswer, noAnswer, () => aRefund()] });
    const { dialog, user, confirm, reason } = await openDialog();
    reason('Torn');
    await untilQuoted(dialog);
    await user.click(confirm());
    expect(await dialog.findByRole('alert')).toHaveTextContent(/It is not known whether this was done.*Sending exactly this again is safe/);
    await user.click(dialog.getByRole('button', { name: 'Send again' }));
    await waitFor(() => expect(sent).toHaveLength(2));
    await dialog.findByRole('button', { name: 'Send again' });
    reason('Torn and wet');
    expect(await dialog.findByText(/An earlier try with other values got no answer/)).toBeVisible();
    await user.click(confirm());
    await screen.findByText(/refunded\. The customer’s balance/);
    expect(sent[1]?.key).toBe(sent[0]?.key);
    expect(sent[2]?.key).not.toBe(sent[0]?.key);
    expect(sent[2]?.body).toEqual({ reason: 'Torn and wet', expected_amount: 2500 });
  });

  it('keeps what is typed, and its key, when the dialog is closed after a lost answer', async () => {
    const { sent } = serve({ answers: [noAnswer, () => replayed(aRefund())] });
    const { dialog, user, confirm, reason } = await openDialog();
    reason('Torn');
    await untilQuoted(dialog);
    await user.click(confirm());
    await dialog.findByRole('alert');
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(screen.getByRole('button', { name: 'Refund' }));
    const again = within(await screen.findByRole('dialog', { name: 'Refund this purchase' }));
    expect(again.getByLabelText('Reason')).toHaveValue('Torn');
    await untilQuoted(again);
    expect(again.getByRole('alert')).toHaveTextContent(/the same as an earlier try/);
    await user.click(again.getByRole('button', { name: 'Send again' }));
    await screen.findByText(/had already been refunded, at .* Nothing was refunded now\./);
    expect(sent[1]?.key).toBe(sent[0]?.key);
  });

  it('forgets what is typed when it is cancelled', async () => {
    serve();
    const { dialog, user, reason } = await openDialog();
    reason('Torn');
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    await user.click(screen.getByRole('button', { name: 'Refund' }));
    expect(within(await screen.findByRole('dialog')).getByLabelText('Reason')).toHaveValue('');
  });

  it('that is refused says exactly why, and shows the purchase as it now is', async () => {
    const { wishes, reads } = serve({
      answers: [
        () =>
          problem(409, 'refund-exceeds-purchase', 'More than what is left to refund', '5.00 USD of this purchase can still be refunded.', {
            refundable: 500,
            currency: 'USD',
          }),
      ],
    });
    const { dialog, user, confirm, reason } = await openDialog();
    reason('Torn');
    await untilQuoted(dialog);
    const before = { reads: reads(), quotes: wishes.length };
    await user.click(confirm());
    expect(await dialog.findByRole('alert')).toHaveTextContent(
      'More than what is left to refund$5.00 of this purchase can still be refunded.Correlation id correlation-of-refund-exceeds-purchase',
    );
    await waitFor(() => expect(reads()).toBeGreaterThan(before.reads));
    await waitFor(() => expect(wishes.length).toBeGreaterThan(before.quotes));
  });
});
