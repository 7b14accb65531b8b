import { act, screen, waitFor, within } from '@testing-library/react';
import type { UserEvent } from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import type { CreditChange, GrantCreditRequest } from '../../api/types.ts';
import { apiOfACustomer } from '../../test/api-of-a-customer.ts';
import { aBalance, anEntry, CUSTOMER_ID } from '../../test/examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { noAnswer, on, type Other, problem, replayed, server, stillLoading } from '../../test/server.ts';

const PLACE = `/customers/${CUSTOMER_ID}`;

interface Sent {
  readonly body: GrantCreditRequest;
  readonly key: string | null;
}

const granted = (amount: number): CreditChange => ({
  entry: anEntry({ amount, balance_after: 4000 + amount }),
  balance: aBalance({ posted: 4000 + amount, available: 4000 + amount }),
});

/** Answers grants one after the other with these; tells what was sent. */
function grantsAre(...answers: readonly (() => CreditChange | Other | Promise<Other>)[]): Sent[] {
  const sent: Sent[] = [];
  server.use(
    on('post', '/customers/{customer_id}/credit/grants', ({ body, idempotencyKey }) => {
      sent.push({ body, key: idempotencyKey });
      return (answers[sent.length - 1] ?? noAnswer)();
    }),
  );
  return sent;
}

async function openDialog(user: UserEvent, name: 'Grant credit' | 'Deduct credit') {
  await user.click(await screen.findByRole('button', { name }));
  return within(await screen.findByRole('dialog', { name }));
}

type Dialog = Awaited<ReturnType<typeof openDialog>>;

async function fillIn(user: UserEvent, dialog: Dialog, amount: string, reason: string) {
  await user.clear(dialog.getByRole('textbox', { name: 'Amount' }));
  await user.type(dialog.getByRole('textbox', { name: 'Amount' }), amount);
  await user.clear(dialog.getByRole('textbox', { name: 'Reason' }));
  await user.type(dialog.getByRole('textbox', { name: 'Reason' }), reason);
}

const dialogIsClosed = () => waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());

describe('granting credit', () => {
  it('tells what it will do, does it, and says what the balance is now', async () => {
    const reads = apiOfACustomer();
    const sent = grantsAre(() => granted(1250));
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    expect(dialog.getByText('Grant credit to Chiara Lindqvist.')).toBeVisible();
    expect(dialog.getByText(/The balance is \$40\.00\. Enter an amount/)).toBeVisible();
    await fillIn(user, dialog, '12,5', '  Late delivery ');
    expect(dialog.getByText('Grant $12.50: balance $40.00 to $52.50.')).toBeVisible();
    expect(sent).toEqual([]);
    await waitFor(() => expect(reads.balance).toBe(2));
    const { ledger } = reads;
    await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    expect(await screen.findByText('Granted $12.50. The new balance is $52.50.')).toBeVisible();
    await dialogIsClosed();
    expect(sent).toEqual([{ body: { amount: 1250, reason: 'Late delivery' }, key: expect.stringMatching(/^backoffice-[0-9a-f]{32}$/) }]);
    await waitFor(() => expect(reads).toEqual({ balance: 3, ledger: ledger + 1 }));
    expect(screen.getByRole('button', { name: 'Grant credit' })).toHaveFocus();
  });

  it('is confirmed by Enter in the amount', async () => {
    apiOfACustomer();
    const sent = grantsAre(() => granted(100));
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '1', 'Goodwill');
    await user.type(dialog.getByRole('textbox', { name: 'Amount' }), '{Enter}');
    await screen.findByText(/Granted \$1\.00/);
    expect(sent).toHaveLength(1);
  });

  it('is sent once, however often it is clicked in one tick', async () => {
    apiOfACustomer();
    const sent = grantsAre(stillLoading);
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '12.50', 'Late delivery');
    const button = dialog.getByRole('button', { name: 'Grant $12.50' });
    await act(async () => {
      for (let click = 0; click < 5; click += 1) button.click();
    });
    await waitFor(() => expect(sent).toHaveLength(1));
    await user.dblClick(await dialog.findByRole('button', { name: 'Working…' }));
    expect(sent).toHaveLength(1);
    // Not optimistic: nothing is shown as done.
    expect(screen.queryByText(/Granted/)).not.toBeInTheDocument();
  });

  it('asks for what is missing, where it is missing, and sends nothing', async () => {
    apiOfACustomer();
    const sent = grantsAre();
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await user.click(dialog.getByRole('button', { name: 'Grant credit' }));
    const amount = dialog.getByRole('textbox', { name: 'Amount' });
    expect(amount).toHaveAccessibleDescription('Enter an amount.');
    expect(amount).toBeInvalid();
    expect(amount).toHaveFocus();
    expect(dialog.getByRole('textbox', { name: 'Reason' })).toHaveAccessibleDescription(/Enter a reason\./);
    await user.type(amount, '1.234');
    expect(amount).toHaveAccessibleDescription(/USD has 2 decimal places/);
    await fillIn(user, dialog, '1.23', ' ');
    await user.click(dialog.getByRole('button', { name: 'Grant $1.23' }));
    expect(dialog.getByRole('textbox', { name: 'Reason' })).toHaveFocus();
    expect(sent).toEqual([]);
  });

  it('whose answer was lost is sent again with the same key', async () => {
    apiOfACustomer();
    const sent = grantsAre(noAnswer, () => granted(1250));
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent('It is not known whether this was done.');
    await user.click(dialog.getByRole('button', { name: 'Send again' }));
    await screen.findByText('Granted $12.50. The new balance is $52.50.');
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('whose answer was lost is still filled in when the dialog is opened again, and keeps its key', async () => {
    apiOfACustomer();
    const sent = grantsAre(noAnswer, () => granted(1250));
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    await dialog.findByRole('alert');
    await user.keyboard('{Escape}');
    await dialogIsClosed();
    const again = await openDialog(user, 'Grant credit');
    expect(again.getByRole('textbox', { name: 'Amount' })).toHaveValue('12.50');
    await user.click(again.getByRole('button', { name: 'Send again' }));
    await screen.findByText(/Granted \$12\.50/);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('of another amount is another intent, with a key of its own', async () => {
    apiOfACustomer();
    const sent = grantsAre(noAnswer, () => granted(1300));
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    await dialog.findByRole('alert');
    await fillIn(user, dialog, '13', 'Late delivery');
    expect(dialog.getByText(/An earlier try with other values got no answer/)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Grant $13.00' }));
    await screen.findByText(/Granted \$13\.00/);
    expect(sent.map(({ body }) => body.amount)).toEqual([1250, 1300]);
    expect(sent[1]?.key).not.toBe(sent[0]?.key);
  });

  /** Loses the answer to a grant, reloads the page, and fills in the same again. */
  async function lostAndReloaded(answer: () => CreditChange | Other) {
    apiOfACustomer();
    const sent = grantsAre(noAnswer, answer);
    const before = renderApp(PLACE);
    const dialog = await openDialog(before.user, 'Grant credit');
    await fillIn(before.user, dialog, '12.50', 'Late delivery');
    await before.user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    await dialog.findByRole('alert');
    before.unmount();
    const { user } = renderApp(PLACE);
    const again = await openDialog(user, 'Grant credit');
    await fillIn(user, again, '12.50', 'Late delivery');
    return { sent, user, again };
  }

  it('that is the same as one without an answer says so, and that it had been done already is not told as new', async () => {
    const { sent, user, again } = await lostAndReloaded(() => replayed(granted(1250)));
    expect(again.getByRole('alert')).toHaveTextContent(/the same as an earlier try \(.* [AP]M\), which got no answer.*does not do it twice/);
    expect(again.queryByRole('button', { name: 'Grant $12.50' })).toBeNull();
    await user.click(again.getByRole('button', { name: 'Send again' }));
    expect(await screen.findByText(/\$12\.50 had already been granted, at Nov 22, 2026.* Nothing was granted now\./)).toBeVisible();
    expect(screen.queryByText(/^Granted/)).toBeNull();
    expect(sent[1]).toEqual(sent[0]);
  });

  it('is done a second time once the earlier try is forgotten', async () => {
    const { sent, user, again } = await lostAndReloaded(() => granted(1250));
    await user.click(again.getByRole('button', { name: 'It was done: forget the earlier try' }));
    expect(again.queryByRole('alert')).toBeNull();
    await user.click(again.getByRole('button', { name: 'Grant $12.50' }));
    await screen.findByText(/^Granted \$12\.50/);
    expect(sent[1]?.body).toEqual(sent[0]?.body);
    expect(sent[1]?.key).not.toBe(sent[0]?.key);
  });

  it('twice on purpose are two intents', async () => {
    apiOfACustomer();
    const sent = grantsAre(
      () => granted(1250),
      () => granted(1250),
    );
    const { user } = renderApp(PLACE);
    for (const count of [1, 2]) {
      const dialog = await openDialog(user, 'Grant credit');
      expect(dialog.getByRole('textbox', { name: 'Amount' })).toHaveValue('');
      await fillIn(user, dialog, '12.50', 'Late delivery');
      await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
      await dialogIsClosed();
      expect(sent).toHaveLength(count);
    }
    expect(sent[1]?.key).not.toBe(sent[0]?.key);
  });

  it('above the limit is refused in the words of the problem, and stays open', async () => {
    apiOfACustomer();
    grantsAre(() =>
      problem(403, 'amount-above-limit', 'More than you may move at once', '600.00 USD is above your limit of 500.00 USD.', {
        limit: 50000,
        amount: 60000,
        currency: 'USD',
      }),
    );
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '600', 'Goodwill');
    await user.click(dialog.getByRole('button', { name: 'Grant $600.00' }));
    const alert = await dialog.findByRole('alert');
    expect(alert).toHaveTextContent('More than you may move at once');
    expect(alert).toHaveTextContent('$600.00 is above your limit of $500.00.');
    expect(alert).toHaveTextContent('correlation-of-amount-above-limit');
    expect(dialog.getByRole('textbox', { name: 'Amount' })).toHaveValue('600');
  });

  it('above the limit of the viewer is told before anything is sent', async () => {
    apiOfACustomer({ balance: { adjustment_limit: 50000 } });
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '500.01', 'Goodwill');
    expect(dialog.getByRole('status')).toHaveTextContent('This will be refused: $500.01 is above your limit of $500.00.');
  });

  it('that was given up is forgotten', async () => {
    apiOfACustomer();
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Grant credit');
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    await dialogIsClosed();
    const again = await openDialog(user, 'Grant credit');
    expect(again.getByRole('textbox', { name: 'Amount' })).toHaveValue('');
  });
});

describe('leaving the page', () => {
  const ELSEWHERE = '/promo-codes';

  /** The dialog, with the page before it in the history. */
  async function opened() {
    apiOfACustomer();
    server.use(on('get', '/promo-codes', () => ({ items: [], next_cursor: null })));
    const { user, router } = renderApp(ELSEWHERE);
    await screen.findByText('No promo codes yet');
    await act(async () => void (await router.navigate(PLACE)));
    const dialog = await openDialog(user, 'Grant credit');
    return { user, router, dialog, back: () => act(async () => void (await router.navigate(-1))), place: () => router.state.location.pathname };
  }

  it('asks before typed text is lost', async () => {
    const { user, dialog, back, place } = await opened();
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await back();
    expect(await dialog.findByText('Close and lose what you typed?')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Keep editing' }));
    expect(place()).toBe(PLACE);
    expect(dialog.getByRole('textbox', { name: 'Amount' })).toHaveValue('12.50');
    expect(dialog.getByRole('textbox', { name: 'Reason' })).toHaveFocus();
    await back();
    await user.keyboard('{Escape}');
    expect(place()).toBe(PLACE);
    expect(dialog.getByRole('button', { name: 'Grant $12.50' })).toBeVisible();
    await back();
    await user.click(await dialog.findByRole('button', { name: 'Discard' }));
    await waitFor(() => expect(place()).toBe(ELSEWHERE));
  });

  it('asks nothing where nothing is typed', async () => {
    const { back, place } = await opened();
    await back();
    await waitFor(() => expect(place()).toBe(ELSEWHERE));
  });

  it('is not asked about any more once there is an answer to look at', async () => {
    const { user, dialog, back, place } = await opened();
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    server.use(
      on('post', '/customers/{customer_id}/credit/grants', async () => {
        await ended;
        return problem(409, 'balance-limit', 'The balance would grow too large', 'Credit a smaller amount.');
      }),
    );
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    await back();
    await dialog.findByRole('button', { name: 'Leave' });
    end();
    expect(await dialog.findByText('The balance would grow too large')).toBeVisible();
    expect(dialog.getByRole('button', { name: 'Grant $12.50' })).toBeVisible();
    expect(dialog.queryByRole('button', { name: 'Discard' })).toBeNull();
    expect(place()).toBe(PLACE);
    await back();
    expect(await dialog.findByRole('button', { name: 'Discard' })).toBeVisible();
  });

  it.each([
    ['it failed', () => problem(409, 'balance-limit', 'The balance would grow too large', 'Credit a smaller amount.'), /This failed: Grant \$12\.50, “Late delivery”\. The balance would grow too large\./],
    ['there was no answer', noAnswer, /It is not known whether this was done: Grant \$12\.50, “Late delivery”/],
    ['it was done', () => granted(1250), /^Granted \$12\.50/],
  ])('while it is under way asks, and tells later that %s', async (_what, answer, told) => {
    const { user, dialog, back, place } = await opened();
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    server.use(
      on('post', '/customers/{customer_id}/credit/grants', async () => {
        await ended;
        return answer();
      }),
    );
    await fillIn(user, dialog, '12.50', 'Late delivery');
    await user.click(dialog.getByRole('button', { name: 'Grant $12.50' }));
    await back();
    expect(await dialog.findByText(/This is under way and cannot be stopped\./)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Leave' }));
    await waitFor(() => expect(place()).toBe(ELSEWHERE));
    await dialogIsClosed();
    end();
    expect(await screen.findByText(told)).toBeVisible();
    expect(place()).toBe(ELSEWHERE);
  });
});

describe('deducting credit', () => {
  it('tells what it will do to what is posted and to what is available', async () => {
    apiOfACustomer({ balance: { posted: 4000, held: 1000, available: 3000 } });
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Deduct credit');
    await fillIn(user, dialog, '30', 'Granted twice');
    expect(dialog.getByText('Deduct $30.00: balance $40.00 to $10.00.')).toBeVisible();
    expect(dialog.getByText(/Available \$30\.00 to \$0\.00, as \$10\.00 is held\./)).toBeVisible();
  });

  it('says before it is sent that more than is available will be refused, and why; the server decides', async () => {
    apiOfACustomer({ balance: { posted: 4000, held: 1000, available: 3000 } });
    const sent: unknown[] = [];
    server.use(
      on('post', '/customers/{customer_id}/credit/deductions', ({ body }) => {
        sent.push(body);
        return problem(409, 'insufficient-credit', 'Not enough credit', '30.01 USD are needed and 30.00 USD are available.', {
          available: 3000,
        });
      }),
    );
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Deduct credit');
    await fillIn(user, dialog, '30.01', 'Granted twice');
    expect(dialog.getByText(/\$30\.01 cannot be deducted/)).toHaveTextContent(
      'This will be refused: $30.01 cannot be deducted, for only $30.00 is available ($40.00 is posted, and $10.00 of it is held for open purchases).',
    );
    await user.click(dialog.getByRole('button', { name: 'Deduct $30.01' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent('$30.01 are needed and $30.00 are available.');
    expect(sent).toEqual([{ amount: 3001, reason: 'Granted twice' }]);
  });

  it('says the same without holds', async () => {
    apiOfACustomer();
    const { user } = renderApp(PLACE);
    const dialog = await openDialog(user, 'Deduct credit');
    await fillIn(user, dialog, '41', 'Granted twice');
    expect(dialog.getByText(/\$41\.00 cannot be deducted/)).toHaveTextContent('only $40.00 is available (that is the whole balance).');
  });

  it('is done, and says what the balance is now', async () => {
    apiOfACustomer();
    server.use(
      on('post', '/customers/{customer_id}/credit/deductions', ({ body }) => ({
        entry: anEntry({ kind: 'DEDUCTION', amount: -body.amount, balance_after: 4000 - body.amount }),
        balance: aBalance({ posted: 4000 - body.amount, available: 4000 - body.amount }),
      })),
    );
    const { user } = renderApp(PLACE, { roles: ['admin'] });
    const dialog = await openDialog(user, 'Deduct credit');
    await fillIn(user, dialog, '40', 'Granted twice');
    await user.click(dialog.getByRole('button', { name: 'Deduct $40.00' }));
    expect(await screen.findByText('Deducted $40.00. The new balance is $0.00.')).toBeVisible();
  });
});
