import type { Page } from '@playwright/test';

import { aCustomer, anOpenOrphan, aProduct, buy, buyIntoTheUnknown, grant, refund } from '../e2e/system.ts';
import { expect, signIn, test } from '../e2e/test.ts';

const FOLDER = '../docs/screenshots';

async function picture(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
  await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: 'disabled', caret: 'hide' });
}

test('the pictures of the documents', async ({ page }) => {
  const kettle = await aProduct('Enamel kettle', 49.9, '1.2 litres, cream, for any stove.');
  const lamp = await aProduct('Desk lamp', 89, 'A warm light on a brass arm.');
  const notebook = await aProduct('Notebook, A5', 12.5, '192 dotted pages, lies flat when open.');
  const chair = await aProduct('Oak chair', 129, 'Steamed, bent and joined by hand.');
  const noor = await aCustomer('Noor Haddad', 150_00, 'Gift card 4471');
  await buy(noor.id, kettle.id);
  await grant(noor.id, 25_00, 'The parcel came four days late');
  const lamps = await buy(noor.id, lamp.id);
  await refund(lamps.id, { amount: 20_00 }, 'The shade came dented');
  const notebooks = await buy(noor.id, notebook.id, 2);
  await refund(notebooks.id, { quantity: 1 }, 'One was scratched');
  await grant(noor.id, 40_00, 'Gift card 4502');
  for (const name of ['Milan Ferrer', 'Sofia Lindgren', 'Jonas Weber', 'Priya Raman']) {
    const person = await aCustomer(name, 200_00, 'Gift card');
    await buy(person.id, kettle.id, 2);
    await buy(person.id, notebook.id, 3);
  }
  const lost = await aCustomer('Emil Novak', 300_00, 'Gift card');
  await anOpenOrphan(lost.id, lamp);
  const attempt = await buyIntoTheUnknown(lost.id, chair);

  await signIn(page, 'rita');
  await page.goto('/customers');
  await expect(page.getByRole('link', { name: noor.name })).toBeVisible();
  await picture(page, 'customers');

  await page.goto(`/customers/${noor.id}`);
  await expect(page.getByRole('heading', { level: 1, name: noor.name })).toBeVisible();
  // The chart is loaded when it is shown.
  await expect(page.locator('.recharts-surface').first()).toBeVisible();
  await picture(page, 'customer');
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'customer-dark');
  await page.emulateMedia({ colorScheme: 'light' });

  await page.goto('/purchases');
  await expect(page.getByRole('link', { name: /kettle/ }).first()).toBeVisible();
  await picture(page, 'purchases');

  await page.goto(`/purchases/${notebooks.id}`);
  await page.getByRole('button', { name: 'Refund' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: 'By quantity' }).check();
  await dialog.getByLabel('Units to refund').fill('1');
  await dialog.getByLabel('Reason').fill('The other one, too');
  await expect(dialog.getByRole('status')).toContainText('refundable');
  await picture(page, 'refund');

  await page.goto(`/attempts/${attempt}`);
  await expect(page.getByText('It is not known whether this was shipped.')).toBeVisible();
  await picture(page, 'attempt');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/attempts');
  await expect(page.getByRole('link', { name: /Oak chair/ }).first()).toBeVisible();
  await picture(page, 'attempts-dark');
});
