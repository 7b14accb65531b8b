import type { Balance } from '../../api/types.ts';
import { formatMoney } from '../../format/money.ts';
import type { CreditMove } from './credit-dialog.tsx';

interface CreditPreviewProps {
  readonly move: CreditMove;
  /** Undefined while there is none that can be read. */
  readonly amount: number | undefined;
  readonly balance: Balance;
  /** The largest amount that the viewer may move; null for any. */
  readonly limit: number | null;
}

/** What a grant or a deduction will do, before it is confirmed; or why it will be refused. The server decides. */
export function CreditPreview({ move, amount, balance, limit }: CreditPreviewProps) {
  const { posted, held, available, currency } = balance;
  const money = (minor: number) => formatMoney(minor, currency);
  if (amount === undefined) {
    return (
      <span className="till-muted">
        The balance is {money(posted)}
        {held > 0 && `, of which ${money(available)} is available`}. Enter an amount to see what will become of it.
      </span>
    );
  }
  if (limit !== null && amount > limit) {
    return (
      <span className="till-refused">
        <strong>This will be refused:</strong> {money(amount)} is above your limit of {money(limit)}.
      </span>
    );
  }
  if (move === 'deduct' && amount > available) {
    const why = held > 0 ? `${money(posted)} is posted, and ${money(held)} of it is held for open purchases` : 'that is the whole balance';
    return (
      <span className="till-refused">
        <strong>This will be refused:</strong> {money(amount)} cannot be deducted, for only {money(available)} is available ({why}).
      </span>
    );
  }
  const change = move === 'grant' ? amount : -amount;
  return (
    <>
      <strong>
        {move === 'grant' ? 'Grant' : 'Deduct'} {money(amount)}: balance {money(posted)} to {money(posted + change)}.
      </strong>
      {held > 0 && (
        <>
          {' '}
          Available {money(available)} to {money(available + change)}, as {money(held)} is held.
        </>
      )}
    </>
  );
}
