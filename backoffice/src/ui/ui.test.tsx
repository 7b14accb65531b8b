import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it, vi } from 'vitest';

import { useMoneyAction } from '../api/money-action.ts';
import { Problem } from '../api/problem.ts';
import { renderPart } from '../test/render-app.tsx';
import { Button } from './button.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { type Column, DataTable, type Sorting } from './data-table.tsx';
import { Dialog } from './dialog.tsx';
import { AmountInput, RadioChoice, SelectInput, TextArea } from './fields.tsx';
import { Answer, ErrorState } from './states.tsx';
import { Instant, Money } from './values.tsx';

describe('a dialog', () => {
  function Opener() {
    const [open, setOpen] = useState(false);
    return (
      <>
        <Button label="Open" onClick={() => setOpen(true)} />
        <Dialog open={open} onClose={() => setOpen(false)} title="Grant credit">
          <p>Inside</p>
        </Dialog>
      </>
    );
  }

  it.each([
    ['Escape', () => userEvent.keyboard('{Escape}')],
    ['the cross', () => userEvent.click(screen.getByRole('button', { name: 'Close' }))],
  ])('gives the focus back after %s', async (_what, close) => {
    renderPart(<Opener />);
    await userEvent.click(screen.getByRole('button', { name: 'Open' }));
    expect(screen.getByRole('dialog', { name: 'Grant credit' })).toBeVisible();
    await close();
    expect(screen.queryByRole('dialog')).toBeNull();
    await waitFor(() => expect(screen.getByRole('button', { name: 'Open' })).toHaveFocus());
  });
});

describe('fields', () => {
  it('are linked to their label, error and hint', () => {
    renderPart(
      <>
        <AmountInput label="Amount" currency="USD" value="" onChange={() => {}} error="Enter an amount." hint="At most 500.00" required />
        <TextArea label="Reason" value="" onChange={() => {}} error="Enter a reason." />
        <SelectInput label="Status" value="" none="Any" options={[{ value: 'A', label: 'First' }]} onChange={() => {}} hint="Of the purchase" />
      </>,
    );
    const amount = screen.getByRole('textbox', { name: 'Amount' });
    expect(amount).toBeInvalid();
    expect(amount).toBeRequired();
    expect(amount).toHaveAccessibleDescription('Enter an amount. At most 500.00');
    expect(screen.getByRole('textbox', { name: 'Reason' })).toHaveAccessibleDescription('Enter a reason.');
    expect(screen.getByRole('combobox', { name: 'Status' })).toHaveAccessibleDescription('Of the purchase');
  });

  it('a choice of radio buttons is a named group', async () => {
    const onChange = vi.fn();
    renderPart(
      <RadioChoice
        label="How much"
        value="all"
        options={[
          { value: 'all', label: 'All of it' },
          { value: 'part', label: 'A part' },
        ]}
        onChange={onChange}
        error="Choose one."
      />,
    );
    const group = screen.getByRole('radiogroup', { name: 'How much' });
    expect(group).toHaveAccessibleDescription('Choose one.');
    expect(within(group).getByRole('radio', { name: 'All of it' })).toBeChecked();
    await userEvent.click(within(group).getByRole('radio', { name: 'A part' }));
    expect(onChange).toHaveBeenCalledExactlyOnceWith('part');
  });

  it('may have nothing chosen yet, and says that one has to be', () => {
    renderPart(<RadioChoice label="How much" value="" options={[{ value: 'all', label: 'All of it' }]} onChange={vi.fn()} error="Choose one." required />);
    const group = screen.getByRole('radiogroup', { name: 'How much' });
    expect(group).toBeRequired();
    expect(group).toBeInvalid();
    expect(within(group).getByRole('radio', { name: 'All of it' })).not.toBeChecked();
  });
});

describe('a table', () => {
  it('is sorted by keyboard, and tells its order', async () => {
    const columns: readonly Column<string>[] = [
      { id: 'name', header: 'Name', cell: (row) => row, isRowHeader: true, sortable: true },
      { id: 'length', header: 'Length', cell: (row) => row.length, align: 'end' },
    ];
    function Sorted() {
      const [sorting, setSorting] = useState<Sorting>({ by: 'name', direction: 'ascending' });
      return <DataTable caption="Words" columns={columns} rows={['one']} rowKey={(row) => row} sorting={sorting} onSort={setSorting} />;
    }
    renderPart(<Sorted />);
    const header = screen.getByRole('columnheader', { name: /Name/ });
    expect(header).toHaveAttribute('aria-sort', 'ascending');
    within(header).getByRole('button').focus();
    await userEvent.keyboard('{Enter}');
    expect(header).toHaveAttribute('aria-sort', 'descending');
    expect(screen.getByRole('columnheader', { name: 'Length' })).not.toHaveAttribute('aria-sort');
    expect(screen.getByRole('rowheader', { name: 'one' })).toBeVisible();
  });
});

describe('an error', () => {
  it('shows the words of the problem, its id in the log, and another try', async () => {
    const retry = vi.fn();
    const problem = Problem.ofAnswer(503, { type: 'urn:problem-type:till:x', title: 'Busy', detail: 'Try later.', correlation_id: 'abc' });
    renderPart(<ErrorState error={problem} onRetry={retry} />);
    expect(screen.getByRole('alert')).toHaveTextContent('BusyTry later.Correlation id abc');
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(retry).toHaveBeenCalledOnce();
  });
});

describe('a refusal for want of a session', () => {
  const error = Problem.ofAnswer(401, { type: 'urn:problem-type:till:not-authenticated', title: 'The caller is not known', detail: 'Send an access token.' });
  const reading = { error, isPending: false, isFetching: false, refetch: vi.fn() };

  it('is not told again while the page says that the session has ended', () => {
    renderPart(
      <>
        <ErrorState error={error} />
        <Answer query={{ ...reading, data: 'what was loaded' }} loading="Loading">
          {(data) => <p>{data}</p>}
        </Answer>
      </>,
      { session: { ended: true } },
    );
    expect(screen.getByText('Sign in again to see this.')).toBeVisible();
    expect(screen.getByText('what was loaded')).toBeVisible();
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.queryByText(/access token|caller/)).toBeNull();
  });

  it('is told in words for reps otherwise', () => {
    renderPart(
      <>
        <ErrorState error={error} />
        <Answer query={{ ...reading, data: 'what was loaded' }} loading="Loading">
          {(data) => <p>{data}</p>}
        </Answer>
      </>,
    );
    expect(screen.getByText('Your sign-in is not accepted any more. Sign in again.')).toBeVisible();
    expect(screen.getByText('This could not be brought up to date: Your sign-in is not accepted any more. Sign in again.')).toBeVisible();
    expect(screen.queryByText(/access token/)).toBeNull();
  });
});

describe('values', () => {
  it('a time has the exact UTC time on hover', () => {
    renderPart(<Instant at="2026-11-22T17:36:15.122328Z" />);
    const time = screen.getByTitle('2026-11-22 17:36:15.122328 UTC');
    expect(time).toHaveAttribute('datetime', '2026-11-22T17:36:15.122328Z');
  });

  it('money is written in full', () => {
    renderPart(<Money minor={-1250} currency="USD" signed />);
    expect(screen.getByText('-$12.50')).toBeVisible();
  });
});

describe('the confirmation of a money action', () => {
  interface Grant {
    readonly amount: number;
  }
  type Send = (payload: Grant, key: string) => Promise<string>;

  function Granting({ send, initial = { amount: 1000 } }: { readonly send: Send; readonly initial?: Grant | undefined }) {
    const [open, setOpen] = useState(false);
    const [payload, setPayload] = useState<Grant | undefined>(initial);
    const [missing, setMissing] = useState(false);
    const [done, setDone] = useState(0);
    const action = useMoneyAction<Grant, string>({ scope: 'grant', send, affects: () => [] });
    return (
      <>
        <Button label="Grant credit" onClick={() => setOpen(true)} />
        <p>{done} done</p>
        <ConfirmDialog
          open={open}
          onClose={() => setOpen(false)}
          title="Grant credit"
          action={action}
          payload={payload}
          onIncomplete={() => setMissing(true)}
          onDone={() => {
            setDone(done + 1);
            setOpen(false);
          }}
          confirmLabel="Grant 10.00 USD"
          preview="Balance 40.00 to 50.00"
        >
          <Button label="Other amount" onClick={() => setPayload({ amount: 2000 })} />
          {missing && <p>Enter an amount.</p>}
        </ConfirmDialog>
      </>
    );
  }
  const open = () => userEvent.click(screen.getByRole('button', { name: 'Grant credit' }));
  const button = (name: string) => screen.getByRole('button', { name });

  it('shows what it will do, does it once, and gives the focus back', async () => {
    const send = vi.fn<Send>().mockResolvedValue('ok');
    renderPart(<Granting send={send} />);
    await open();
    expect(screen.getByText('Balance 40.00 to 50.00')).toBeVisible();
    await userEvent.dblClick(button('Grant 10.00 USD'));
    await screen.findByText('1 done');
    expect(send).toHaveBeenCalledOnce();
    await waitFor(() => expect(button('Grant credit')).toHaveFocus());
  });

  it('stays open, keeps the focus and cannot be sent again while it is under way', async () => {
    const send = vi.fn<Send>().mockReturnValue(new Promise(() => {}));
    renderPart(<Granting send={send} />);
    await open();
    await userEvent.click(button('Grant 10.00 USD'));
    expect(button('Working…')).toHaveFocus();
    expect(button('Working…')).toHaveAttribute('aria-disabled', 'true');
    await userEvent.keyboard('{Enter}{Escape}');
    await userEvent.click(button('Working…'));
    expect(screen.getByRole('dialog')).toBeVisible();
    expect(send).toHaveBeenCalledOnce();
  });

  it('says what went wrong, and does not call a refusal uncertain', async () => {
    const problem = Problem.ofAnswer(409, { type: 'urn:problem-type:till:x', title: 'Not enough', detail: '25.00 USD are there.', correlation_id: 'abc' });
    renderPart(<Granting send={vi.fn<Send>().mockRejectedValue(problem)} />);
    await open();
    await userEvent.click(button('Grant 10.00 USD'));
    const alert = await screen.findByText('$25.00 are there.');
    expect(alert.closest('[role=alert]')).toHaveTextContent('Correlation id abc');
    expect(screen.queryByText(/Sending exactly this again is safe/)).toBeNull();
    expect(button('Grant 10.00 USD')).toBeEnabled();
  });

  it('says that sending again is safe when the answer was lost, sends the same key, and warns of anything else', async () => {
    const send = vi.fn<Send>().mockRejectedValue(Problem.noAnswer(null));
    renderPart(<Granting send={send} />);
    await open();
    await userEvent.click(button('Grant 10.00 USD'));
    expect(await screen.findByText(/Sending exactly this again is safe/)).toBeVisible();
    expect(screen.queryByText(/would come on top/)).toBeNull();
    await userEvent.click(button('Send again'));
    await waitFor(() => expect(send).toHaveBeenCalledTimes(2));
    expect(send.mock.calls[1]?.[1]).toBe(send.mock.calls[0]?.[1]);
    await userEvent.click(button('Other amount'));
    expect(screen.getByText(/would come on top/)).toBeVisible();
    expect(screen.queryByText(/Sending exactly this again is safe/)).toBeNull();
    expect(button('Grant 10.00 USD')).toBeVisible();
  });

  it('sends nothing while something is missing', async () => {
    const send = vi.fn<Send>();
    function Incomplete() {
      const [missing, setMissing] = useState(false);
      const action = useMoneyAction<Grant, string>({ scope: 'grant', send, affects: () => [] });
      return (
        <ConfirmDialog
          open
          onClose={() => {}}
          title="Grant credit"
          action={action}
          payload={undefined}
          onIncomplete={() => setMissing(true)}
          onDone={() => {}}
          confirmLabel="Grant"
        >
          {missing && <p>Enter an amount.</p>}
        </ConfirmDialog>
      );
    }
    renderPart(<Incomplete />);
    await userEvent.click(button('Grant'));
    expect(screen.getByText('Enter an amount.')).toBeVisible();
    expect(send).not.toHaveBeenCalled();
  });
});
