import { useCallback, useEffect, useRef, useState } from 'react';

import { problemText } from '../api/problem-text.ts';
import { Problem } from '../api/problem.ts';
import type { CursorPage } from '../api/queries.ts';
import { type CsvColumn, csvHeader, csvRows } from '../format/csv.ts';
import { beginFile, type FileKind } from '../format/saving.ts';
import { Button } from './button.tsx';
import { useToast } from './toast.tsx';

/** A part of a file, and how many rows are written with it. */
export interface FilePart {
  readonly text: string;
  readonly count: number;
}

interface DownloadButtonProps {
  readonly label: string;
  readonly file: FileKind;
  /** The whole file, part after part: each is written before the next one is asked for. */
  readonly parts: (signal: AbortSignal) => AsyncIterable<FilePart>;
}

interface ExportButtonProps<T> {
  /** Without ".csv". */
  readonly filename: string;
  readonly columns: readonly CsvColumn<T>[];
  /** All pages of the list, not only the one that is shown: `everyPage`. */
  readonly pages: (signal: AbortSignal) => AsyncIterable<Pick<CursorPage<T>, 'items'>>;
  readonly label?: string;
}

/** Exports a whole list as CSV, however many pages it has. */
export function ExportButton<T>({ filename, columns, pages, label = 'Export CSV' }: ExportButtonProps<T>) {
  return (
    <DownloadButton
      label={label}
      file={{ name: `${filename}.csv`, type: 'text/csv' }}
      parts={(signal) => csvParts(columns, pages(signal))}
    />
  );
}

async function* csvParts<T>(columns: readonly CsvColumn<T>[], pages: AsyncIterable<Pick<CursorPage<T>, 'items'>>): AsyncGenerator<FilePart> {
  let count = 0;
  yield { text: csvHeader(columns), count };
  for await (const { items } of pages) {
    count += items.length;
    yield { text: csvRows(columns, items), count };
  }
}

/** Writes a file for the viewer while it is loaded, page after page. It can be cancelled; leaving the page stops it too. */
export function DownloadButton({ label, file, parts }: DownloadButtonProps) {
  const { announce } = useToast();
  const [progress, setProgress] = useState<number | null>(null);
  const running = useRef<AbortController | null>(null);
  const group = useRef<HTMLSpanElement>(null);
  const run = async () => {
    if (running.current !== null) return;
    const controller = new AbortController();
    running.current = controller;
    try {
      const count = await writeFile(file, parts, controller.signal, setProgress);
      if (count !== undefined) announce(`Exported ${count} ${count === 1 ? 'row' : 'rows'}.`);
    } catch (error) {
      // It was cancelled by hand, or the page was left.
      if (!controller.signal.aborted) announce(`The export failed. ${problemText(Problem.of(error))}`, { tone: 'danger' });
    } finally {
      running.current = null;
      setProgress(null);
    }
  };
  const stop = useCallback(() => {
    if (running.current === null || running.current.signal.aborted) return;
    running.current.abort();
    announce('The export was cancelled.');
  }, [announce]);
  useEffect(() => stop, [stop]);
  const cancel = () => {
    stop();
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

/** Gives back how many rows were written; undefined if the viewer chose no file. */
async function writeFile(
  file: FileKind,
  parts: DownloadButtonProps['parts'],
  signal: AbortSignal,
  onProgress: (count: number) => void,
): Promise<number | undefined> {
  const writer = await beginFile(file);
  if (writer === undefined) return undefined;
  let reached = 0;
  try {
    onProgress(reached);
    for await (const { text, count } of parts(signal)) {
      await writer.write(text);
      signal.throwIfAborted();
      reached = count;
      onProgress(reached);
    }
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  return reached;
}
