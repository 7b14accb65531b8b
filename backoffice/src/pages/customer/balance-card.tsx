import { useState } from 'react';

import { useCredit } from '../../api/queries.ts';
import type { Credit } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { useViewer } from '../../auth/session.ts';
import { Button, TextLink } from '../../ui/button.tsx';
import { Card, Figures } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { Instant, Money } from '../../ui/values.tsx';
import { CreditDialog, type CreditMove } from './credit-dialog.tsx';
import { Shield } from './shield.tsx';

interface BalanceCardProps {
  readonly customerId: string;
  readonly customerName: string | undefined;
}

/** Posted, held and available, and what support does about them. */
export function BalanceCard({ customerId, customerName }: BalanceCardProps) {
  const credit = useCredit(customerId);
  const viewer = useViewer();
  const [open, setOpen] = useState<CreditMove | null>(null);
  const balance = credit.data;
  const ask = (move: CreditMove) => {
    setOpen(move);
    // A preview is worth as much as the balance it begins with.
    void credit.refetch();
  };
  return (
    <Card
      title="Credit"
      actions={
        viewer.isSupport &&
        balance !== undefined && (
          <>
            <Button label="Deduct credit" kind="secondary" onClick={() => ask('deduct')} />
            <Button label="Grant credit" onClick={() => ask('grant')} />
          </>
        )
      }
    >
      <Answer
        query={credit}
        loading="Loading the balance"
        failed="The balance could not be loaded"
        notFound={<Empty title="There is no account." />}
      >
        {(found) => <Shown credit={found} />}
      </Answer>
      {balance !== undefined &&
        (['grant', 'deduct'] as const).map((move) => (
          <CreditDialog
            key={move}
            move={move}
            open={open === move}
            onClose={() => setOpen(null)}
            balance={balance}
            customerName={customerName}
          />
        ))}
    </Card>
  );
}

function Shown({ credit }: { readonly credit: Credit }) {
  const { posted, held, available, currency, updated_at: updatedAt } = credit;
  return (
    <div className="till-stack">
      <Figures
        figures={[
          { label: 'Available', value: <Money minor={available} currency={currency} />, note: 'can be spent' },
          {
            label: 'Posted',
            value: <Money minor={posted} currency={currency} />,
            note: updatedAt === null ? 'never had credit' : <Changed at={updatedAt} />,
          },
          {
            label: 'Held',
            value: <Money minor={held} currency={currency} />,
            note: held > 0 ? <TextLink to={places.attempts()}>for open purchases</TextLink> : 'no open purchases',
          },
        ]}
      />
      <Shield credit={credit} />
    </div>
  );
}

function Changed({ at }: { readonly at: string }) {
  return (
    <>
      changed <Instant at={at} />
    </>
  );
}
