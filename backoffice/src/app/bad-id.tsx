import type { ReactNode } from 'react';

import { Card, Page } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';

interface BadIdProps {
  readonly of: 'customer' | 'purchase' | 'attempt';
  /** The link to the list. */
  readonly above: ReactNode;
  readonly action?: ReactNode;
}

/** Instead of a page whose address holds what cannot be an id: says so without asking the API. */
export function BadId({ of, above, action }: BadIdProps) {
  return (
    <Page title={`${of.charAt(0).toUpperCase()}${of.slice(1)}`} above={above}>
      <Card>
        <Empty title={`The ${of} id in this address is not valid`} action={action}>
          An id has 36 characters, like <code className="till-break">c0000000-0000-4000-8000-000000000003</code>. Check whether a part of it
          is missing.
        </Empty>
      </Card>
    </Page>
  );
}
