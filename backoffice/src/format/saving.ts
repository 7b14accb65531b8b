/** A file that is being written, part after part. Nothing of it is kept before `finish`. */
export interface FileWriter {
  readonly write: (part: string) => Promise<void>;
  /** The file is complete. */
  readonly finish: () => Promise<void>;
  /** Drops what was written so far. */
  readonly abandon: () => Promise<void>;
}

/** What a file is called, and its media type without a charset. */
export interface FileKind {
  readonly name: string;
  readonly type: 'text/csv' | 'application/json';
}

/** The part of the File System Access API that TypeScript does not know. */
interface SavePicker {
  readonly showSaveFilePicker?: (options: {
    readonly suggestedName: string;
    readonly types: readonly { readonly accept: Readonly<Record<string, readonly string[]>> }[];
  }) => Promise<FileSystemFileHandle>;
}

/**
 * Begins a file for the viewer; undefined if they close the picker. Call it within a click.
 *
 * Where the browser has a picker, the parts go straight to the disk. Elsewhere each becomes a blob, which the browser may
 * keep outside of the page's memory, and the file is downloaded when it is complete. Neither builds one text of it all.
 */
export async function beginFile(file: FileKind): Promise<FileWriter | undefined> {
  const { showSaveFilePicker } = window as SavePicker;
  if (showSaveFilePicker === undefined) return downloadAtEnd(file);
  const ending = file.name.slice(file.name.lastIndexOf('.'));
  try {
    const handle = await showSaveFilePicker({ suggestedName: file.name, types: [{ accept: { [file.type]: [ending] } }] });
    return await writeToDisk(handle);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    // The picker is not allowed here, as in a frame or by a policy.
    return downloadAtEnd(file);
  }
}

async function writeToDisk(handle: FileSystemFileHandle): Promise<FileWriter> {
  const stream = await handle.createWritable();
  return {
    write: (part) => stream.write(part),
    finish: () => stream.close(),
    abandon: () => stream.abort(),
  };
}

function downloadAtEnd({ name, type }: FileKind): FileWriter {
  const parts: Blob[] = [];
  return {
    write: (part) => {
      parts.push(new Blob([part]));
      return Promise.resolve();
    },
    finish: () => {
      download(name, new Blob(parts, { type: `${type};charset=utf-8` }));
      return Promise.resolve();
    },
    abandon: () => {
      parts.length = 0;
      return Promise.resolve();
    },
  };
}

function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun once the click is over; the next task may let go of the data.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
