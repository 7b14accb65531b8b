import { aCustomer, anOpenOrphan, aProduct, aPromoCode, buy, buyIntoTheUnknown } from './system.ts';
import { expect, expectAccessible, expectToFit, signIn, test, switchTheme } from './test.ts';

test('every page is accessible and fits at four widths, in both themes', async ({ page }) => {
  test.setTimeout(400_000);
  const person = await aCustomer('Everywhere Shown', 100_00);
  const goods = await aProduct('Bread box', 19.9);
  const purchase = await buy(person.id, goods.id, 2);
  const attempt = await buyIntoTheUnknown(person.id, await aProduct('Tea tin', 8));
  const orphan = await anOpenOrphan(person.id, await aProduct('Tea cosy', 9));
  const code = await aPromoCode();
  await signIn(page, 'amir');
  const places = [
    '/customers',
    '/customers?query=everywhere',
    '/customers?query=not-a-name-of-anyone',
    `/customers/${person.id}`,
    `/customers/${person.id}?section=purchases`,
    '/customers/00000000-0000-4000-8000-000000000000',
    '/purchases',
    '/purchases?status=REFUNDED',
    '/purchases?shipment_id=not-there',
    `/purchases/${purchase.id}`,
    '/attempts',
    '/attempts?orphan=OPEN',
    '/attempts?state=VOIDED',
    `/attempts/${attempt}`,
    `/attempts/${orphan}`,
    '/promo-codes',
    `/promo-codes/${code}`,
    '/promo-codes/NOT-THERE',
    '/no/such/page',
  ];
  for (const place of places) {
    await test.step(place, async () => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(place);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.getByRole('status', { name: /^Loading/ })).toHaveCount(0);
      await page.waitForLoadState('networkidle');
      for (const width of [1280, 768, 390, 320]) {
        await page.setViewportSize({ width, height: 800 });
        await switchTheme(page, 'light');
        await expectToFit(page);
        await expectAccessible(page);
        await switchTheme(page, 'dark');
        await expectAccessible(page, 'colours');
      }
    });
  }
});

test('every dialog is accessible and fits, with its buttons in view, in both themes', async ({ page }) => {
  test.setTimeout(180_000);
  const person = await aCustomer('Dialogs Shown', 100_00);
  const purchase = await buy(person.id, (await aProduct('Tray', 10)).id, 2);
  const attempt = await buyIntoTheUnknown(person.id, await aProduct('Jug', 8));
  const orphan = await anOpenOrphan(person.id, await aProduct('Bowl', 9));
  await signIn(page, 'amir');
  const openers = [
    [`/customers/${person.id}`, 'Grant credit'],
    [`/customers/${person.id}`, 'Deduct credit'],
    [`/customers/${person.id}`, 'Signed statement'],
    [`/purchases/${purchase.id}`, 'Refund'],
    [`/attempts/${attempt}`, 'Confirm shipment'],
    [`/attempts/${attempt}`, 'Void'],
    [`/attempts/${orphan}`, 'Close orphan shipment'],
  ] as const;
  for (const [place, opener] of openers) {
    await test.step(opener, async () => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(place);
      await page.getByRole('button', { name: opener }).click();
      const dialog = page.getByRole('dialog');
      await expect(dialog).toBeVisible();
      for (const width of [1280, 320]) {
        await page.setViewportSize({ width, height: 480 });
        await switchTheme(page, 'light');
        await expectToFit(page);
        await expectAccessible(page);
        await switchTheme(page, 'dark');
        await expectAccessible(page, 'colours');
        // Also where the fields are longer than the screen.
        for (const button of await dialog.locator('.till-dialog-actions button').all()) await expect(button).toBeInViewport({ ratio: 1 });
      }
    });
  }
});

test('a list is as it was when one comes back to it, and each place can be shared', async ({ page, context }) => {
  const person = await aCustomer('Zuzana Return', 50_00);
  const purchase = await buy(person.id, (await aProduct('Stool', 20)).id);
  await signIn(page, 'rita', '/purchases?status=COMPLETED');
  await page.getByRole('link', { name: /Stool/ }).first().click();
  await expect(page).toHaveURL(new RegExp(`/purchases/${purchase.id}`));
  await page.goBack();
  await expect(page).toHaveURL(/status=COMPLETED/);
  await expect(page.getByRole('link', { name: /Stool/ }).first()).toBeVisible();

  const other = await context.newPage();
  await other.goto(`/customers/${person.id}?section=purchases`);
  await expect(other.getByRole('heading', { level: 1, name: person.name })).toBeVisible();
  await expect(other.getByRole('link', { name: /Stool/ })).toBeVisible();
});

test('promo codes are the admin’s to manage, and a rep’s to read', async ({ page, browser, baseURL }) => {
  const code = `E2E-${Date.now().toString(36).toUpperCase()}`;
  await signIn(page, 'amir', '/promo-codes');
  await page.getByRole('button', { name: 'New promo code' }).click();
  const creating = page.getByRole('dialog', { name: 'New promo code' });
  await expectAccessible(page);
  await creating.getByLabel('Code', { exact: true }).fill(code);
  await creating.getByLabel('Per cent off').fill('10');
  await creating.getByRole('button', { name: 'Create promo code' }).click();
  await expect(page.getByText(`${code} is created.`)).toBeVisible();

  await page.goto(`/promo-codes/${code}`);
  await page.getByRole('button', { name: 'Edit terms' }).click();
  const editing = page.getByRole('dialog', { name: `Edit the terms of ${code}` });
  await expectAccessible(page);
  await editing.getByLabel('Per cent off').fill('15');
  await editing.getByRole('button', { name: 'Save terms' }).click();
  await expect(page.getByText(`The terms of ${code} are changed.`)).toBeVisible();
  await expect(page.getByText(/15\s?%/).first()).toBeVisible();

  const context = await browser.newContext(baseURL === undefined ? {} : { baseURL });
  const rep = await context.newPage();
  await signIn(rep, 'rita', `/promo-codes/${code}`);
  await expect(rep.getByRole('heading', { level: 1, name: code })).toBeVisible();
  await expect(rep.getByRole('heading', { name: 'History' })).toBeVisible();
  for (const name of ['Edit terms', 'Deactivate']) await expect(rep.getByRole('button', { name })).toHaveCount(0);
  await context.close();

  await page.getByRole('button', { name: 'Deactivate' }).click();
  await page.getByRole('dialog', { name: `Deactivate ${code}` }).getByRole('button', { name: 'Deactivate' }).click();
  await expect(page.getByText(`${code} is deactivated.`)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Edit terms' })).toHaveCount(0);
});
