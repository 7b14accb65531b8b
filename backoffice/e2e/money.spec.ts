import type { Page } from '@playwright/test';

import { aCustomer, aProduct, balanceOf, buy } from './system.ts';
import { expect, PEOPLE, signIn, test } from './test.ts';

/** The card in which the balance stands. */
function credit(page: Page) {
  return page.getByRole('region', { name: 'Credit' });
}

/** Opens one of the dialogs in which money is moved, and fills it in. */
async function fillIn(page: Page, opener: string, amount: string, reason: string) {
  await credit(page).getByRole('button', { name: opener }).click();
  const dialog = page.getByRole('dialog', { name: opener });
  await dialog.getByLabel('Amount').fill(amount);
  await dialog.getByLabel('Reason').fill(reason);
  return dialog;
}

test('a rep finds a customer, grants, and refunds what was bought, in parts and fully', async ({ page }) => {
  const person = await aCustomer('Nadia Brandt', 40_00);
  const goods = await aProduct('Desk organiser', 12.5);
  await signIn(page, 'rita');

  await test.step('finds her by a part of her e-mail, and opens her', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type(person.email.slice(6));
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: person.name }).click();
    await expect(page.getByRole('heading', { level: 1, name: person.name })).toBeVisible();
    await expect(page.getByText(person.email)).toBeVisible();
    await expect(credit(page).getByText('$40.00').first()).toBeVisible();
  });

  await test.step('grants, seeing before what it will do', async () => {
    const dialog = await fillIn(page, 'Grant credit', '12.50', 'The last parcel came late');
    await expect(dialog.getByRole('status')).toContainText('$40.00');
    await expect(dialog.getByRole('status')).toContainText('$52.50');
    await dialog.getByRole('button', { name: 'Grant $12.50' }).click();
    await expect(page.getByText('The new balance is $52.50')).toBeVisible();
    await expect(dialog).toBeHidden();
    const row = page.getByRole('row', { name: /The last parcel came late/ });
    await expect(row).toContainText(PEOPLE.rita);
    await expect(row).toContainText('+$12.50');
  });

  await test.step('sees what she bought meanwhile', async () => {
    await buy(person.id, goods.id, 2);
    await page.reload();
    await expect(credit(page).getByText('$27.50').first()).toBeVisible();
    await page.getByRole('link', { name: 'Purchases', exact: true }).last().click();
    await page.getByRole('link', { name: /Desk organiser/ }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Desk organiser');
  });

  await test.step('refunds one of the two', async () => {
    await page.getByRole('button', { name: 'Refund' }).click();
    const dialog = page.getByRole('dialog', { name: 'Refund this purchase' });
    await dialog.getByRole('radio', { name: 'By quantity' }).check();
    await dialog.getByLabel('Units to refund').fill('1');
    await dialog.getByLabel('Reason').fill('One was scratched');
    await expect(dialog.getByRole('status')).toHaveText(
      '$12.50 back to the customer for 1 unit; $12.50 of this purchase remains refundable; balance $27.50 to $40.00.',
    );
    await dialog.getByRole('button', { name: 'Refund' }).click();
    await expect(page.getByText('The customer’s balance is $40.00')).toBeVisible();
    await expect(page.getByText('One was scratched')).toBeVisible();
  });

  await test.step('and then all that is left', async () => {
    await page.getByRole('button', { name: 'Refund' }).click();
    const dialog = page.getByRole('dialog', { name: 'Refund this purchase' });
    await dialog.getByLabel('Reason').fill('The other one, too');
    await expect(dialog.getByRole('status')).toContainText('balance $40.00 to $52.50');
    await dialog.getByRole('button', { name: 'Refund' }).click();
    await expect(page.getByText('The customer’s balance is $52.50')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Refund' })).toBeHidden();
  });

  expect(await balanceOf(person.id)).toMatchObject({ posted: 52_50, held: 0, available: 52_50 });
});

test('what cannot be deducted is not, and the rep reads why', async ({ page }) => {
  const person = await aCustomer('Below Zero', 10_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const dialog = await fillIn(page, 'Deduct credit', '10.01', 'A mistake of ours');
  await dialog.getByRole('button', { name: /^Deduct/ }).click();
  await expect(dialog.getByRole('alert')).toContainText('Not enough credit');
  await expect(dialog.getByRole('alert')).toContainText('$10.01 are needed and $10.00 are available. Nothing was changed.');
  expect((await balanceOf(person.id)).posted).toBe(10_00);
});

test('more than a rep may move at once is refused, and the rep reads why', async ({ page }) => {
  const person = await aCustomer('Large Sum', 1_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const dialog = await fillIn(page, 'Grant credit', '500.01', 'Too generous');
  await expect(dialog.getByRole('status')).toContainText('This will be refused: $500.01 is above your limit of $500.00.');
  await dialog.getByRole('button', { name: /^Grant/ }).click();
  await expect(dialog.getByRole('alert')).toContainText('$500.01 is above your limit of $500.00');
  await dialog.getByLabel('Amount').fill('500');
  await expect(dialog.getByRole('status')).toContainText('balance $1.00 to $501.00');
  await dialog.getByLabel('Amount').fill('600');
  await expect(dialog.getByRole('status')).toContainText('This will be refused: $600.00 is above your limit of $500.00.');
  expect((await balanceOf(person.id)).posted).toBe(1_00);
});

test('a double click in one tick grants once', async ({ page }) => {
  const person = await aCustomer('Twice Clicked', 1_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().includes('/credit/grants')) sent.push(request.headers()['idempotency-key'] ?? '');
  });
  const dialog = await fillIn(page, 'Grant credit', '5', 'Goodwill');
  await dialog.getByRole('button', { name: /^Grant/ }).evaluate((button: HTMLButtonElement) => {
    button.click();
    button.click();
  });
  await expect(page.getByText('The new balance is $6.00')).toBeVisible();
  expect(sent).toHaveLength(1);
  expect((await balanceOf(person.id)).posted).toBe(6_00);
});

test('an answer that was lost is asked for again under the same key, and counts once', async ({ page }) => {
  const person = await aCustomer('Lost Answer', 1_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const keys: string[] = [];
  let lose = true;
  await page.route('**/credit/grants', async (route) => {
    keys.push(route.request().headers()['idempotency-key'] ?? '');
    // The grant is made; only its answer does not arrive.
    const response = await route.fetch();
    if (lose) {
      lose = false;
      await route.abort('connectionreset');
    } else {
      await route.fulfill({ response });
    }
  });
  const dialog = await fillIn(page, 'Grant credit', '5', 'Goodwill');
  await dialog.getByRole('button', { name: /^Grant/ }).click();
  await expect(dialog.getByRole('alert')).toContainText('Sending exactly this again is safe');
  await dialog.getByRole('button', { name: 'Send again' }).click();
  await expect(page.getByText('$5.00 had already been granted')).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  expect((await balanceOf(person.id)).posted).toBe(6_00);
});

test('after a lost answer and a reload, the same refund is sent again, and is made once', async ({ page }) => {
  const person = await aCustomer('Lost and Reloaded', 20_00);
  const goods = await aProduct('Tape', 10);
  const purchase = await buy(person.id, goods.id, 2);
  await signIn(page, 'rita', `/purchases/${purchase.id}`);
  const keys: string[] = [];
  await page.route('**/refunds', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key'] ?? '');
    const response = await route.fetch();
    return keys.length === 1 ? route.abort('connectionreset') : route.fulfill({ response });
  });
  await page.getByRole('button', { name: 'Refund' }).click();
  let dialog = page.getByRole('dialog', { name: 'Refund this purchase' });
  await dialog.getByRole('radio', { name: 'By quantity' }).check();
  await dialog.getByLabel('Units to refund').fill('1');
  await dialog.getByLabel('Reason').fill('One was torn');
  await dialog.getByRole('button', { name: 'Refund $10.00' }).click();
  await expect(dialog.getByRole('alert').first()).toContainText('It is not known whether this was done');

  const warnings: string[] = [];
  page.on('dialog', (warning) => {
    warnings.push(warning.type());
    void warning.accept();
  });
  await page.reload();
  expect(warnings).toEqual(['beforeunload']);
  await page.getByRole('button', { name: 'Refund' }).click();
  dialog = page.getByRole('dialog', { name: 'Refund this purchase' });
  await expect(dialog.getByRole('alert')).toContainText('An earlier try got no answer and may have been done: $10.00 back to the customer');
  await dialog.getByRole('button', { name: 'Send the earlier one again' }).click();
  await expect(page.getByText('$10.00 had already been refunded')).toBeVisible();
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  expect((await balanceOf(person.id)).posted).toBe(10_00);

  // It is settled: nothing is offered any more.
  await page.getByRole('button', { name: 'Refund' }).click();
  await expect(dialog.getByRole('status')).toContainText('$10.00 back to the customer');
  await expect(dialog.getByRole('alert')).toHaveCount(0);
});

test('a refund of all that is left is of the amount on the button, or is refused', async ({ page, browser }) => {
  const person = await aCustomer('Two Reps', 50_00);
  const goods = await aProduct('Lamp', 50);
  const purchase = await buy(person.id, goods.id, 1);
  await signIn(page, 'rita', `/purchases/${purchase.id}`);
  await page.getByRole('button', { name: 'Refund' }).click();
  const dialog = page.getByRole('dialog', { name: 'Refund this purchase' });
  await dialog.getByLabel('Reason').fill('Broken');
  await expect(dialog.getByRole('button', { name: 'Refund $50.00' })).toBeEnabled();

  await test.step('another rep refunds a part', async () => {
    const other = await (await browser.newContext()).newPage();
    await signIn(other, 'amir', `/purchases/${purchase.id}`);
    await other.getByRole('button', { name: 'Refund' }).click();
    const theirs = other.getByRole('dialog', { name: 'Refund this purchase' });
    await theirs.getByRole('radio', { name: 'An amount' }).check();
    await theirs.getByLabel('Amount to refund').fill('10');
    await theirs.getByLabel('Reason').fill('A scratch');
    await theirs.getByRole('button', { name: 'Refund $10.00' }).click();
    await expect(other.getByText('$10.00 refunded.')).toBeVisible();
    await other.context().close();
  });

  await dialog.getByRole('button', { name: 'Refund $50.00' }).click();
  await expect(dialog.getByRole('alert')).toContainText('The refund is $40.00 now');
  expect((await balanceOf(person.id)).posted).toBe(10_00);
  // What the money allows now.
  await expect(dialog.getByRole('radio', { name: 'The full remaining amount, $40.00' })).toBeChecked();
  await expect(dialog.getByRole('radio', { name: 'By quantity' })).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Refund $40.00' }).click();
  await expect(page.getByText('$40.00 refunded.')).toBeVisible();
  expect((await balanceOf(person.id)).posted).toBe(50_00);
});

test('a dialog is left by Escape, with the focus where it was, and nothing sent', async ({ page }) => {
  const person = await aCustomer('Keyboard First', 10_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const opener = credit(page).getByRole('button', { name: 'Grant credit' });
  await opener.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Grant credit' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Grant credit' })).toBeHidden();
  await expect(opener).toBeFocused();
  expect((await balanceOf(person.id)).version).toBe(1);
});
