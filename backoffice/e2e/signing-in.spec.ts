import { backOffice, expect, expectAccessible, signIn, test } from './test.ts';

test('a rep signs in and is at the place that was asked for', async ({ page }) => {
  await signIn(page, 'rita', '/attempts?state=VOIDED');
  expect(page.url()).toBe(new URL('/attempts?state=VOIDED', backOffice()).href);
  await page.getByRole('button', { name: /Rita Sorensen/ }).click();
  await expect(page.getByText('You are in support.')).toBeVisible();
});

test('a reload does not ask again, and nothing of the session outlives the tab', async ({ page }) => {
  await signIn(page, 'rita');
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'Customers' })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('token');
});

test('a customer is told that this is for support', async ({ page }) => {
  await signIn(page, 'chiara');
  await expect(page.getByRole('heading', { name: 'This application is for support' })).toBeVisible();
  await expectAccessible(page);
});

test('signing out ends the session at the issuer, too', async ({ page }) => {
  await signIn(page, 'rita');
  await page.getByRole('button', { name: /Rita Sorensen/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  // The token is revoked first: until then the page, with the account's button, is still there.
  const { origin } = new URL(backOffice());
  await page.waitForURL((url) => url.origin !== origin);
  await expect(page.getByRole('button', { name: 'Rita Sorensen' })).toBeVisible();
});

for (const theme of ['light', 'dark'] as const) {
  test(`the shell is accessible and fits in the ${theme} theme`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme });
    await signIn(page, 'rita', '/no/such/page');
    for (const width of [1280, 768]) {
      await page.setViewportSize({ width, height: 800 });
      await expectAccessible(page);
      await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    }
  });
}

test('everything is served with a strict policy', async ({ request }) => {
  for (const path of ['/', '/purchases', '/config.json', '/theme.js']) {
    const headers = (await request.get(path)).headers();
    expect(headers['content-security-policy'], path).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(headers['x-content-type-options'], path).toBe('nosniff');
  }
});
