import { vi } from 'vitest';

/** A file that the application handed to the viewer. */
export interface Download {
  readonly name: string;
  /** The lines of a CSV file, without its byte order mark. */
  readonly lines: () => Promise<readonly string[]>;
}

/** Catches downloads, which jsdom does not know. Restored after the test, as all mocks are. */
export function catchDownloads(): readonly Download[] {
  const downloads: Download[] = [];
  let file = new Blob([]);
  // Not spied on: jsdom has neither of the two.
  URL.createObjectURL = (blob: Blob) => {
    file = blob;
    return 'blob:a-file';
  };
  URL.revokeObjectURL = () => {};
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    const caught = file;
    downloads.push({
      name: this.download,
      lines: async () => (await textOf(caught)).replace('\uFEFF', '').split('\r\n').filter((line) => line !== ''),
    });
  });
  return downloads;
}

/** Blob.text(), which jsdom does not have. */
function textOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error('the file could not be read'));
    reader.readAsText(blob);
  });
}
