import type { Download, Page } from '@playwright/test';

import { ENTRIES, withLongLedger } from './long-ledger.ts';
import { aCustomer } from './system.ts';
import { expect, signIn, test } from './test.ts';

/** A browser that has no picker for files, such as Firefox. */
async function withoutPicker(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
}

/** A viewer who chooses a file: one of the browser's own file system. Notes how long each text is that is written. */
async function withPicker(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const written: number[] = [];
    Object.assign(window, {
      written,
      showSaveFilePicker: async ({ suggestedName }: { suggestedName: string }) =>
        (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true }),
    });
    const write = Reflect.get<FileSystemWritableFileStream, 'write'>(FileSystemWritableFileStream.prototype, 'write');
    FileSystemWritableFileStream.prototype.write = function (this: FileSystemWritableFileStream, text) {
      written.push(typeof text === 'string' ? text.length : Infinity);
      return write.call(this, text);
    };
  });
}

const chosenFile = (page: Page, name: string) =>
  page.evaluate(async (file) => {
    // What was never completed may not be there.
    const handle = await (await navigator.storage.getDirectory()).getFileHandle(file, { create: true });
    const { written } = window as unknown as { written: number[] };
    return { text: await (await handle.getFile()).text(), written };
  }, name);

async function textOf(download: Download): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

test('the ledger and the signed statement are exported as they are', async ({ page }) => {
  const person = await aCustomer('Exported, "quoted"', 10_00);
  await withoutPicker(page);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const [ledger] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export the ledger' }).click()]);
  const lines = (await textOf(ledger)).trim().split('\r\n');
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('GRANT,10.00,10.00,USD,Made for a test,amir');
  await page.getByRole('button', { name: 'Signed statement' }).click();
  await page.getByLabel('Period').selectOption('This month');
  const [statement] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
  expect(JSON.parse(await textOf(statement))).toMatchObject({ statement: { customer_id: person.id, closing: { sequence: 1 } } });
});

test('an export of many pages is written page after page, shows its progress, and can be cancelled', async ({ page }) => {
  const person = await aCustomer('Long Export', 10_00);
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  await withLongLedger(page, person.id, (cursor) => (cursor === '951' ? held : Promise.resolve()));
  await withPicker(page);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const name = `ledger-${person.id}.csv`;

  await test.step('it is cancelled in the middle, and nothing is left in the file', async () => {
    await page.getByRole('button', { name: 'Export the ledger' }).click();
    await expect(page.getByRole('button', { name: 'Exporting, 300 rows…' })).toBeVisible();
    await page.getByRole('button', { name: 'Cancel the export' }).click();
    await expect(page.getByText('The export was cancelled.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Export the ledger' })).toBeFocused();
    goOn();
    expect((await chosenFile(page, name)).text).toBe('');
  });

  await test.step('it is complete, and no text that was written has more than a page', async () => {
    await page.evaluate(() => ((window as unknown as { written: number[] }).written.length = 0));
    await page.getByRole('button', { name: 'Export the ledger' }).click();
    await expect(page.getByText(`Exported ${String(ENTRIES)} rows.`)).toBeVisible({ timeout: 60_000 });
    const { text, written } = await chosenFile(page, name);
    expect(text.trim().split('\r\n')).toHaveLength(ENTRIES + 1);
    // A header and thirteen pages.
    expect(written).toHaveLength(14);
    expect(Math.max(...written)).toBeLessThan(text.length / 10);
  });
});
