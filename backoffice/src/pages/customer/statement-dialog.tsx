import { useState } from 'react';

import { useApi } from '../../api/client.ts';
import { everyPage, read } from '../../api/queries.ts';
import type { SignedStatement } from '../../api/types.ts';
import { exportName } from '../../format/csv.ts';
import { boundsOf, type Period, PERIODS } from '../../format/period.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog, DialogActions } from '../../ui/dialog.tsx';
import { DownloadButton, type FilePart } from '../../ui/export-button.tsx';
import { SelectInput } from '../../ui/fields.tsx';

/** Downloads a statement of a customer's credit, which can be checked without Till. */
export function StatementDownload({ customerId }: { readonly customerId: string }) {
  const api = useApi();
  const [open, setOpen] = useState(false);
  const [period, setPeriod] = useState<Period>('everything');
  return (
    <>
      <Button label="Signed statement" kind="secondary" onClick={() => setOpen(true)} />
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title="Signed statement"
        description="Every entry of the period, and the balance before and after it. The signature shows that Till wrote it and that nothing was changed since."
      >
        <SelectInput
          label="Period"
          hint="Days begin at midnight UTC."
          value={period}
          options={PERIODS}
          onChange={(chosen) => setPeriod(chosen === '' ? 'everything' : chosen)}
        />
        <DialogActions>
          <DownloadButton
            label="Download"
            file={{ name: `${exportName('statement', customerId)}-${period}.json`, type: 'application/json' }}
            parts={(signal) => {
              const bounds = boundsOf(period, new Date());
              return parts(everyPage((cursor) => read.statement(api, customerId, { ...bounds, cursor }, signal), signal));
            }}
          />
        </DialogActions>
      </Dialog>
    </>
  );
}

/** A statement of one page is that page; one of several pages is a list of them. */
async function* parts(pages: AsyncIterable<SignedStatement>): AsyncGenerator<FilePart> {
  let count = 0;
  let isList = false;
  for await (const page of pages) {
    const before = isList ? ',\n' : page.next_cursor === null ? '' : '[\n';
    isList ||= page.next_cursor !== null;
    count += page.statement.entries.length;
    yield { text: before + JSON.stringify(page, null, 2), count };
  }
  yield { text: isList ? '\n]\n' : '\n', count };
}
