import { aCustomer, aProduct, attemptOf, buy, buyIntoTheUnknown, grant } from './system.ts';
import { expect, expectAccessible, signIn, test } from './test.ts';

test('the queue of unknown attempts is counted in the navigation and in the title, and counted again', async ({ page }) => {
  const person = await aCustomer('Queue Counted', 40_00);
  await buyIntoTheUnknown(person.id, await aProduct('Queued clock', 10));
  // A minute is a second in this test.
  await page.addInitScript(() => {
    const every = window.setInterval.bind(window);
    window.setInterval = ((handler: () => void, delay?: number) => every(handler, delay === 60_000 ? 1000 : delay)) as typeof setInterval;
  });
  await signIn(page, 'rita', `/customers/${person.id}`);
  const link = page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: /Attempts \d+ of unknown outcome/ });
  const count = async () => Number(/\d+/.exec(await link.innerText())?.[0]);
  await expect(link).toBeVisible();
  const before = await count();
  await expect(page).toHaveTitle(`(${String(before)}) Queue Counted · Till`);
  await buyIntoTheUnknown(person.id, await aProduct('Queued lamp', 10));
  await expect.poll(count).toBe(before + 1);
  await expect(page).toHaveTitle(`(${String(before + 1)}) Queue Counted · Till`);
  // As a badge, also on a page that loads nothing else.
  await page.goto('/customers');
  await expect(link.locator('span').first()).not.toHaveCSS('background-color', 'rgba(0, 0, 0, 0)');
});

test('a customer page costs four calls, and two after a grant', async ({ page }) => {
  const person = await aCustomer('Few Calls', 10_00);
  for (let number = 0; number < 3; number += 1) await grant(person.id, 1_00, `Grant ${String(number)}`);
  await signIn(page, 'rita');
  let calls: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith(`/v1/customers/${person.id}`)) calls.push(`${request.method()} ${pathname}`);
  });
  await page.goto(`/customers/${person.id}?section=purchases`);
  await page.waitForLoadState('networkidle');
  expect(calls.length, calls.join(', ')).toBeLessThanOrEqual(4);
  await page.getByRole('button', { name: 'Grant credit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Amount').fill('$1,234.50');
  await expect(dialog.getByRole('status')).toContainText('$1,234.50');
  await dialog.getByLabel('Amount').fill('$2.50');
  await dialog.getByLabel('Reason').fill('Goodwill');
  await page.waitForLoadState('networkidle');
  calls = [];
  await dialog.getByRole('button', { name: 'Grant $2.50' }).click();
  await expect(page.getByText('The new balance is $15.50')).toBeVisible();
  await page.waitForLoadState('networkidle');
  expect(calls.filter((call) => call.startsWith('GET'))).toHaveLength(2);
  // What the rep comes back to was read a moment ago.
  calls = [];
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
  await page.waitForLoadState('networkidle');
  expect(calls.length, calls.join(', ')).toBeLessThanOrEqual(4);
});

test('a Ctrl+click on a row opens a tab, and a link back keeps the query', async ({ page, context }) => {
  const person = await aCustomer('Tabbed Row', 50_00);
  const purchase = await buy(person.id, (await aProduct('Tab stool', 20)).id);
  await signIn(page, 'rita', `/customers/${person.id}?section=purchases`);
  const cell = page.getByRole('row', { name: /Tab stool/ }).getByRole('cell').last();
  const [tab] = await Promise.all([context.waitForEvent('page'), cell.click({ modifiers: ['ControlOrMeta'] })]);
  await expect(tab).toHaveURL(new RegExp(`/purchases/${purchase.id}`));
  await expect(tab.getByRole('heading', { level: 1, name: 'Tab stool' })).toBeVisible();
  await tab.close();
  await expect(page).toHaveURL(/section=purchases/);

  await page.goto(`/customers?query=${encodeURIComponent(person.email)}`);
  await page.getByRole('link', { name: person.name }).click();
  await page.getByRole('article').getByRole('link', { name: 'Customers' }).click();
  await expect(page).toHaveURL(/query=tabbed/);
});

test('a click while the refund is being worked out is done when it is known', async ({ page }) => {
  const person = await aCustomer('Quick Click', 50_00);
  const purchase = await buy(person.id, (await aProduct('Quick stool', 20)).id);
  await signIn(page, 'rita', `/purchases/${purchase.id}`);
  await page.route('**/refund-quotes', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  await page.getByRole('button', { name: 'Refund' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('radio', { name: /full remaining amount/ })).toBeFocused();
  await dialog.getByRole('radio', { name: 'An amount' }).check();
  await dialog.getByLabel('Reason').fill('Scratched');
  await dialog.getByLabel('Amount to refund').fill('5');
  await page.keyboard.press('Enter');
  await expect(page.getByText('$5.00 refunded.')).toBeVisible();
});

test('an address with a bad id is explained, and the carrier’s own message is shown', async ({ page }) => {
  const person = await aCustomer('Bad Address', 50_00);
  const attempt = await buyIntoTheUnknown(person.id, await aProduct('Said clock', 10));
  await signIn(page, 'rita', '/purchases/1234');
  await expect(page.getByText('The purchase id in this address is not valid')).toBeVisible();
  await page.goto('/attempts/1234');
  await expect(page.getByText('The attempt id in this address is not valid')).toBeVisible();
  await page.goto('/customers/1234');
  await expect(page.getByText('The customer id in this address is not valid')).toBeVisible();
  await expectAccessible(page);
  const message = (await attemptOf(attempt)).carrier?.message ?? '';
  expect(message).not.toBe('');
  await page.goto(`/attempts/${attempt}`);
  await expect(page.getByText(`The carrier said: “${message}”`)).toBeVisible();
});

test('a customer’s purchases come first: eight rows at 1280 by 800, near times, exact ones by keyboard', async ({ page }) => {
  const person = await aCustomer('Rows First', 900_00);
  const goods = await aProduct('Reading lamp', 10);
  for (let number = 0; number < 8; number += 1) await buy(person.id, goods.id);
  await signIn(page, 'rita', `/customers/${person.id}?section=purchases`);
  const rows = page.getByRole('rowheader');
  await expect(rows).toHaveCount(8);
  await page.waitForLoadState('networkidle');
  const bottom = () => rows.last().evaluate((row) => row.getBoundingClientRect().bottom);
  await expect.poll(bottom).toBeLessThanOrEqual(800);
  expect(await rows.last().evaluate((row) => row.getBoundingClientRect().height)).toBeLessThanOrEqual(45);
  await expect(page.getByText('Billing and shipping address')).toBeVisible();
  const row = page.getByRole('row', { name: /Reading lamp/ }).first();
  await expect(row.getByRole('cell').last()).toHaveText('–None');
  const time = row.locator('time');
  await expect(time).toHaveText(/just now|ago/);
  await time.focus();
  await expect(time).toHaveText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ UTC$/);
  await expectAccessible(page);
});
