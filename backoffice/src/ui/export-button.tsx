import { useEffect, useRef, useState } from 'react';

import { Problem } from '../api/problem.ts';
import { type CsvColumn, downloadCsv } from '../format/csv.ts';
import { Button } from './button.tsx';
import { useToast } from './toast.tsx';

interface ExportButtonProps<T> {
  /** Without ".csv". */
  readonly filename: string;
  readonly columns: readonly CsvColumn<T>[];
  /** All rows, not only those of the page: `everyItem`. */
  readonly load: (options: { readonly signal: AbortSignal; readonly onProgress: (count: number) => void }) => Promise<readonly T[]>;
  readonly label?: string;
}

/** Exports a whole list as CSV, however many pages it has. It can be cancelled; leaving the page stops it too. */
export function ExportButton<T>({ filename, columns, load, label = 'Export CSV' }: ExportButtonProps<T>) {
  const { announce } = useToast();
  const [progress, setProgress] = useState<number | null>(null);
  const running = useRef<AbortController | null>(null);
  const group = useRef<HTMLSpanElement>(null);
  useEffect(() => () => running.current?.abort(), []);
  const run = async () => {
    if (running.current !== null) return;
    const controller = new AbortController();
    running.current = controller;
    setProgress(0);
    try {
      const rows = await load({ signal: controller.signal, onProgress: setProgress });
      controller.signal.throwIfAborted();
      downloadCsv(`${filename}.csv`, columns, rows);
      announce(`Exported ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}.`);
    } catch (error) {
      // It was cancelled by hand, or the page was left.
      if (!controller.signal.aborted) announce(`The export failed. ${Problem.of(error).detail}`, { tone: 'danger' });
    } finally {
      running.current = null;
      setProgress(null);
    }
  };
  const cancel = () => {
    running.current?.abort();
    announce('The export was cancelled.');
    // The button that is pressed goes away; the focus stays next to it.
    group.current?.querySelector('button')?.focus();
  };
  return (
    <span ref={group} className="till-actions">
      <Button
        label={progress === null ? label : `Exporting, ${progress} rows…`}
        kind="secondary"
        icon="download"
        busy={progress !== null}
        onClick={() => void run()}
      />
      {progress !== null && <Button label="Cancel the export" kind="empty" onClick={cancel} />}
    </span>
  );
}
