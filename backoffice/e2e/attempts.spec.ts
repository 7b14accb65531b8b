import { aCustomer, aProduct, balanceOf, buyIntoTheUnknown } from './system.ts';
import { expect, signIn, test } from './test.ts';

test('an attempt of unknown outcome is found, and confirmed with the shipment that the carrier has', async ({ page }) => {
  const person = await aCustomer('Ines Okonkwo', 40_00);
  const goods = await aProduct('Wall clock', 25);
  const attempt = await buyIntoTheUnknown(person.id, goods);
  await signIn(page, 'rita', '/attempts');
  await page.getByRole('link', { name: /Wall clock/ }).first().click();
  await expect(page).toHaveURL(new RegExp(attempt));
  await expect(page.getByText('Nobody knows whether this was shipped.')).toBeVisible();
  await expect(page.getByText('The carrier did not say whether it was shipped')).toBeVisible();
  expect(await balanceOf(person.id)).toMatchObject({ posted: 40_00, held: 25_00 });

  await page.getByRole('button', { name: 'Confirm shipment' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/Shipment/).fill('shp_found_by_phone');
  await dialog.getByLabel('Reason').fill('The carrier found it by address');
  await expect(dialog.getByRole('status')).toContainText('$25.00');
  await dialog.getByRole('button', { name: /Confirm|Charge/ }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText('The carrier found it by address')).toBeVisible();
  await page.getByRole('link', { name: 'This purchase' }).click();
  await expect(page.getByText('shp_found_by_phone')).toBeVisible();
  expect(await balanceOf(person.id)).toMatchObject({ posted: 15_00, held: 0 });
});

test('one that was never shipped is voided, and what was held is the customer’s again', async ({ page }) => {
  const person = await aCustomer('Tomas Void', 40_00);
  const attempt = await buyIntoTheUnknown(person.id, await aProduct('Floor lamp', 30));
  await signIn(page, 'rita', `/attempts/${attempt}`);
  await page.getByRole('button', { name: 'Void' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('The carrier has nothing');
  await expect(dialog.getByRole('status')).toContainText('$40.00');
  await dialog.getByRole('button', { name: /Void/ }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Void' })).toBeHidden();
  await expect(page.getByText('The carrier has nothing')).toBeVisible();
  expect(await balanceOf(person.id)).toMatchObject({ posted: 40_00, held: 0, available: 40_00 });
});
