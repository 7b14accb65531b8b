import type { Page } from '@playwright/test';

import { aCustomer, balanceOf } from './system.ts';
import { expect, expectAccessible, PEOPLE, signIn, test } from './test.ts';

/** From now on the API refuses this page's token and the issuer does not renew it; until the session is a new one. */
async function endSession(page: Page): Promise<void> {
  const old = await page.evaluate(() => Object.values<string>({ ...sessionStorage }).find((item) => item.includes('access_token')) ?? '');
  const { access_token: token } = JSON.parse(old) as { access_token: string };
  await page.route('**/v1/**', async (route) => {
    if (route.request().headers()['authorization'] === `Bearer ${token}`) await route.fulfill({ status: 401 });
    else await route.continue();
  });
  await page.route('**/token', (route) => route.fulfill({ status: 400, json: { error: 'invalid_grant' } }));
}

async function fillInGrant(page: Page) {
  await page.getByRole('button', { name: 'Grant credit' }).click();
  const dialog = page.getByRole('dialog', { name: 'Grant credit' });
  await expect(dialog.getByLabel('Amount')).toBeFocused();
  await page.keyboard.type('5');
  await dialog.getByLabel('Reason').fill('Waited on the phone for an hour');
  return dialog;
}

test('a session that ends in a dialog is begun again there, and what was typed is sent', async ({ page }) => {
  const person = await aCustomer('Session Ends', 10_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const dialog = await fillInGrant(page);
  await endSession(page);
  await dialog.getByRole('button', { name: 'Grant $5.00' }).click();
  await expect(dialog.getByText('Your session has ended.')).toBeVisible();
  await expect(page.getByText(/lost/)).toHaveCount(0);
  await expectAccessible(page);
  const [popup] = await Promise.all([page.waitForEvent('popup'), dialog.getByRole('button', { name: 'Sign in again' }).click()]);
  // The issuer still knows who this is. The window closes itself where the browser allows it.
  await expect(dialog.getByText('Your session has ended.')).toBeHidden();
  if (!popup.isClosed()) await popup.close();

  await expect(dialog.getByLabel('Amount')).toHaveValue('5');
  await expect(dialog.getByLabel('Reason')).toHaveValue('Waited on the phone for an hour');
  await dialog.getByRole('button', { name: 'Grant $5.00' }).click();
  await expect(page.getByText('The new balance is $15.00')).toBeVisible();
  expect((await balanceOf(person.id)).posted).toBe(15_00);
});

test('another person cannot take over a page with what was typed in it', async ({ page, context }) => {
  const person = await aCustomer('Someone Elses', 10_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const dialog = await fillInGrant(page);
  await endSession(page);
  await dialog.getByRole('button', { name: 'Grant $5.00' }).click();
  await context.clearCookies();
  const [first] = await Promise.all([page.waitForEvent('popup'), dialog.getByRole('button', { name: 'Sign in again' }).click()]);
  await first.getByRole('button', { name: PEOPLE.amir }).click();
  await expect(dialog.getByText('You signed in as Amir Haddad. This page belongs to Rita Sorensen')).toBeVisible();
  if (!first.isClosed()) await first.close();

  const [second] = await Promise.all([page.waitForEvent('popup'), dialog.getByRole('button', { name: 'Sign in again' }).click()]);
  await second.getByRole('button', { name: PEOPLE.rita }).click();
  await expect(dialog.getByText('Your session has ended.')).toBeHidden();
  await dialog.getByRole('button', { name: 'Grant $5.00' }).click();
  await expect(page.getByText('The new balance is $15.00')).toBeVisible();
});

test('a dialog with text in it asks before it closes', async ({ page }) => {
  const person = await aCustomer('Asked First', 10_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  const dialog = await fillInGrant(page);
  const question = dialog.getByText('Close and lose what you typed?');
  for (const leave of [
    () => page.keyboard.press('Escape'),
    () => dialog.getByRole('button', { name: 'Cancel' }).click(),
    () => dialog.getByRole('button', { name: 'Close' }).click(),
    () => page.mouse.click(5, 5),
  ]) {
    await leave();
    await expect(question).toBeVisible();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Keep editing' }).click();
    await expect(question).toBeHidden();
    await expect(dialog.getByLabel('Reason')).toBeFocused();
    await expect(dialog.getByLabel('Reason')).toHaveValue('Waited on the phone for an hour');
  }
  await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Discard' }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: 'Grant credit' }).click();
  await expect(dialog.getByLabel('Amount')).toHaveValue('');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('signing out ends every tab, and revokes the token', async ({ page, context }) => {
  await signIn(page, 'rita');
  const other = await context.newPage();
  await other.goto('/purchases');
  await expect(other.getByRole('heading', { level: 1, name: 'Purchases' })).toBeVisible();
  const revoked: string[] = [];
  context.on('response', (response) => {
    if (response.url().endsWith('/revocation')) revoked.push(`${String(response.status())} ${response.request().postData() ?? ''}`);
  });
  await page.getByRole('button', { name: /Rita Sorensen/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(other.getByRole('heading', { level: 1, name: 'You are signed out' })).toBeVisible();
  await expectAccessible(other);
  await expect.poll(() => revoked).toHaveLength(2);
  for (const one of revoked) expect(one).toMatch(/^200 .*token_type_hint=refresh_token/);
  expect(await other.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('access_token');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('button', { name: PEOPLE.rita })).toBeVisible();
});
