import { aCustomer, anOpenOrphan, aProduct, attemptOf, balanceOf, buy, buyIntoTheUnknown } from './system.ts';
import { expect, expectAccessible, signIn, test } from './test.ts';

test('an attempt of unknown outcome is found, and confirmed with the shipment that the carrier has', async ({ page }) => {
  const person = await aCustomer('Ines Okonkwo', 40_00);
  const goods = await aProduct('Wall clock', 25);
  const attempt = await buyIntoTheUnknown(person.id, goods);
  // A shipment id belongs to one purchase, also where these tests have run before.
  const parcel = `shp_found_by_phone_${attempt.slice(0, 8)}`;
  await signIn(page, 'rita', '/attempts');
  await page.getByRole('link', { name: /Wall clock/ }).first().click();
  await expect(page).toHaveURL(new RegExp(attempt));
  await expect(page.getByText('It is not known whether this was shipped.')).toBeVisible();
  await expect(page.getByText('The carrier did not say whether it was shipped')).toBeVisible();
  expect(await balanceOf(person.id)).toMatchObject({ posted: 40_00, held: 25_00 });

  await page.getByRole('button', { name: 'Confirm shipment' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/Shipment/).fill(parcel);
  await dialog.getByLabel('Reason').fill('The carrier found it by address');
  await expect(dialog.getByRole('status')).toContainText('$25.00');
  await dialog.getByRole('button', { name: /Confirm|Charge/ }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText('The carrier found it by address')).toBeVisible();
  await page.getByRole('link', { name: 'This purchase' }).click();
  await expect(page.getByText(parcel)).toBeVisible();
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

test('an open orphan shipment is on the work list until a rep closes it', async ({ page }) => {
  const person = await aCustomer('Olga Orphan', 40_00);
  const goods = await aProduct('Garden bench', 30);
  const attempt = await anOpenOrphan(person.id, goods);
  await signIn(page, 'rita', '/attempts');
  const lists = page.getByRole('group', { name: 'List' });
  const orphans = lists.getByRole('radio', { name: /^Orphan shipments \d+$/ });
  const count = async () => Number((await lists.getByText(/^Orphan shipments/).innerText()).replace(/\D+/, ''));

  await test.step('the list tells customer, product, quantity and since when', async () => {
    // The address says what is chosen, a moment after the click.
    await orphans.click();
    await expect(orphans).toBeChecked();
    await expect(page).toHaveURL(/\?orphan=OPEN$/);
    const row = page.getByRole('row', { name: new RegExp(goods.sku) });
    await expect(row).toContainText('Garden bench');
    await expect(row).toContainText('1 ×');
    await expect(row).toContainText('Olga Orphan');
    await expect(row).toContainText('Not known');
    await expect(row.locator('time')).toHaveAttribute('datetime', (await attemptOf(attempt)).orphan?.since ?? '');
  });
  const before = await count();

  await test.step('it is closed with the keyboard alone', async () => {
    await page.getByRole('row', { name: new RegExp(goods.sku) }).getByRole('link', { name: 'Garden bench' }).press('Enter');
    await expect(page.getByText('A parcel may have been sent that was not paid for.')).toBeVisible();
    await page.getByRole('button', { name: 'Close orphan shipment' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Close orphan shipment' });
    await dialog.getByRole('button', { name: 'Close orphan shipment' }).press('Enter');
    await expect(dialog.getByText('Choose what became of the parcel.')).toBeVisible();
    await expect(dialog.getByRole('radio', { name: /Called back/ })).toBeFocused();
    await expectAccessible(page);
    // Radix chooses the next one while the key is down, a moment later.
    await page.keyboard.down('ArrowDown');
    await expect(dialog.getByRole('radio', { name: /Written off/ })).toBeChecked();
    await page.keyboard.up('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.type('The customer keeps it');
    await expect(dialog.getByRole('status')).toContainText('No money moves.');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
  });

  await test.step('it tells who closed it, why and as what', async () => {
    const entry = page.getByRole('listitem').filter({ hasText: 'Orphan shipment closed: written off, the customer keeps the parcel' });
    await expect(entry).toContainText('by Rita Sorensen');
    await expect(entry).toContainText('The customer keeps it');
    await expect(page.getByRole('button', { name: 'Close orphan shipment' })).toBeHidden();
    expect((await attemptOf(attempt)).orphan?.closing).toMatchObject({ outcome: 'WRITTEN_OFF', closed_by: 'rita' });
    expect(await balanceOf(person.id)).toMatchObject({ posted: 40_00, held: 0, available: 40_00 });
  });

  await test.step('it is gone from the list, without a reload', async () => {
    await page.getByRole('article').getByRole('link', { name: 'Attempts' }).click();
    await expect(page).toHaveURL(/\?orphan=OPEN$/);
    await expect(orphans).toBeChecked();
    await expect.poll(count).toBe(before - 1);
    await expect(page.getByRole('row', { name: new RegExp(goods.sku) })).toHaveCount(0);
  });
});

test('a shipment id that another purchase has is refused, and leads to that purchase', async ({ page }) => {
  const person = await aCustomer('Tova Taken', 90_00);
  const bought = await buy(person.id, (await aProduct('Coat rack', 20)).id);
  const attempt = await buyIntoTheUnknown(person.id, await aProduct('Coat hook', 10));
  await signIn(page, 'rita', `/attempts/${attempt}`);
  await page.getByRole('button', { name: 'Confirm shipment' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Shipment id').fill(bought.shipment_id);
  await dialog.getByLabel('Reason').fill('Read out on the phone');
  await dialog.getByRole('button', { name: 'Confirm shipment' }).click();
  await expect(dialog.getByRole('alert')).toContainText('The shipment id belongs to another purchase');
  await expectAccessible(page);
  await dialog.getByRole('link', { name: 'Open the purchase that has this shipment id' }).click();
  // What was typed is not lost without a question.
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await expect(page).toHaveURL(new RegExp(`/purchases/${bought.id}`));
  await expect(page.getByRole('heading', { level: 1, name: 'Coat rack' })).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(await balanceOf(person.id)).toMatchObject({ posted: 70_00, held: 10_00 });

  await page.goto('/purchases');
  await page.getByLabel('Shipment id').fill(bought.shipment_id);
  await expect(page).toHaveURL(new RegExp(`shipment_id=${bought.shipment_id}`));
  await expect(page.getByRole('rowheader')).toHaveCount(1);
  await expect(page.getByRole('link', { name: 'Coat rack' })).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('Shipment id')).toHaveValue(bought.shipment_id);
  await expect(page.getByRole('rowheader')).toHaveCount(1);
});
