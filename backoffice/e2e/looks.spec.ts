import type { Locator } from '@playwright/test';

import { ENTRIES, withLongLedger } from './long-ledger.ts';
import { aCustomer, aProduct, buy } from './system.ts';
import { expect, expectAccessible, expectToFit, signIn, test, switchTheme } from './test.ts';

const boxOf = async (element: Locator) => (await element.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };

test('a customer on a desk, on a phone and on paper', async ({ page }) => {
  const reason = 'The parcel came late, and the customer was told twice on the phone that it would not. '.repeat(5).trim();
  const person = await aCustomer('Looked At', 90_00, reason, new Date('2019-05-06T12:00:00Z'));
  await signIn(page, 'rita', '/customers');

  await test.step('the list has short ids, and the date of the first credit', async () => {
    const row = page.getByRole('row', { name: new RegExp(person.email) });
    await expect(row.locator('code')).toHaveText(person.id.slice(0, 8));
    await expect(row.locator('time')).toHaveAttribute('datetime', new RegExp(`^${String(new Date().getUTCFullYear())}-`));
    await row.getByRole('link', { name: person.name }).click();
    await expect(page.getByRole('heading', { level: 1, name: person.name })).toBeVisible();
  });

  const why = page.getByText(reason);
  await test.step('a small chart is beside the balance, and equal addresses are shown once', async () => {
    await expect(page.locator('.till-chart svg').first()).toBeVisible();
    const [credit, chart] = [await boxOf(page.getByRole('region', { name: 'Credit' })), await boxOf(page.locator('.till-chart'))];
    expect(chart.x).toBeGreaterThanOrEqual(credit.x + credit.width);
    expect(chart.y).toBeLessThan(credit.y + credit.height);
    expect(chart.height).toBeLessThanOrEqual(120);
    await expect(page.locator('address')).toHaveCount(1);
    await expect(page.getByText('2019').first()).toBeVisible();
  });

  await test.step('a long reason takes two lines, and is whole with the focus', async () => {
    const lines = () => why.evaluate((element) => Math.round(element.clientHeight / Number.parseFloat(getComputedStyle(element).lineHeight)));
    expect(await lines()).toBe(2);
    await why.focus();
    expect(await lines()).toBeGreaterThan(2);
    await why.blur();
  });

  await test.step('on a phone a row is a card with its headings, and is not cut', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await expectToFit(page);
    const table = page.getByRole('region', { name: 'Ledger' });
    expect(await table.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    const cells = await table.getByRole('cell').evaluateAll((all) =>
      all.map((cell) => ({ heading: getComputedStyle(cell, '::before').content, left: cell.getBoundingClientRect().left })),
    );
    expect(cells.map(({ heading }) => heading)).toEqual(['"What"', '"Why"', '"Who"', '"Amount"', '"Balance after"']);
    expect(new Set(cells.map(({ left }) => left)).size).toBe(1);
  });

  await test.step('on paper there is what is there, and nothing that one can do with it', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await expect(page.getByRole('navigation', { name: 'Sections' })).toBeHidden();
    await expect(page.getByRole('combobox')).toBeHidden();
    for (const button of await page.locator('button').all()) await expect(button).toBeHidden();
    await expect(page.getByRole('heading', { level: 1, name: person.name })).toBeVisible();
    await expect(page.getByRole('row', { name: /The parcel came late/ })).toContainText('$90.00');
    await expect(page.getByText(person.email)).toBeVisible();
    expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe('rgb(0, 0, 0)');
  });
});

test('a dialog darkens the page, and shows a refusal in red', async ({ page }) => {
  const person = await aCustomer('Dark Below', 10_00);
  await signIn(page, 'rita', `/customers/${person.id}`);
  await page.getByRole('button', { name: 'Deduct credit' }).click();
  const dialog = page.getByRole('dialog');
  const preview = dialog.getByRole('status');
  const ground = () => preview.evaluate((element) => getComputedStyle(element).backgroundColor);
  const before = await ground();
  await dialog.getByLabel('Amount').fill('10.01');
  await expect(preview).toContainText('This will be refused: $10.01 cannot be deducted');
  for (const theme of ['light', 'dark'] as const) {
    await switchTheme(page, theme);
    await expectAccessible(page, 'colours');
    const overlay = await page.evaluate(() => getComputedStyle(document.elementFromPoint(2, 2) ?? document.body).backgroundColor);
    const [red = 255, green = 255, blue = 255, alpha = 1] = (overlay.match(/[\d.]+/g) ?? []).map(Number);
    expect(Math.max(red, green, blue), overlay).toBeLessThanOrEqual(48);
    expect(alpha, overlay).toBeGreaterThanOrEqual(0.5);
    const [r = 0, g = 0, b = 0] = (await ground()).match(/[\d.]+/g)?.map(Number) ?? [];
    expect(r, `${theme}: ${await ground()}`).toBeGreaterThan(Math.max(g, b));
  }
  expect(await ground()).not.toBe(before);
});

test('a list shows a dash where there is nothing, and a customer of many entries costs four calls', async ({ page }) => {
  const person = await aCustomer('Long Standing', 50_00);
  await buy(person.id, (await aProduct('Dashed stool', 20)).id);
  await signIn(page, 'rita', '/purchases');
  await expect(page.getByRole('row', { name: /Dashed stool/ }).first().getByRole('cell', { name: 'None' })).toHaveText(['–None', '–None']);

  await withLongLedger(page, person.id);
  const calls: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/v1/customers/')) calls.push(pathname);
  });
  await page.goto(`/customers/${person.id}`);
  await expect(page.getByRole('row', { name: new RegExp(`Grant ${String(ENTRIES)}`) })).toBeVisible();
  await expect(page.getByRole('rowheader')).toHaveCount(100);
  await page.waitForLoadState('networkidle');
  expect(calls.length, calls.join(', ')).toBeLessThanOrEqual(4);
});

test('a customer of many entries is painted within 600 ms once everything is in the cache', async ({ page }) => {
  const person = await aCustomer('Quickly Painted', 50_00);
  await buy(person.id, (await aProduct('Fast stool', 20)).id);
  await signIn(page, 'rita', '/purchases');
  await withLongLedger(page, person.id);
  const answers: Record<string, string> = {};
  // From a page that asks for nothing more: the browser forgets the answers of one that is left.
  await page.waitForLoadState('networkidle');
  page.on('response', async (response) => {
    const { pathname, search } = new URL(response.url());
    if (pathname.startsWith('/v1/')) answers[pathname + search] = await response.text();
  });
  await page.goto(`/customers/${person.id}`);
  await expect(page.getByRole('rowheader')).toHaveCount(100);
  await page.waitForLoadState('networkidle');

  // The API's share is measured elsewhere: from here on each of its answers is there at once.
  await page.addInitScript((known) => {
    const ask = window.fetch.bind(window);
    window.fetch = (input, init) => {
      const { pathname, search } = new URL(input instanceof Request ? input.url : input, location.href);
      const text = known[pathname + search];
      return text === undefined ? ask(input, init) : Promise.resolve(new Response(text, { headers: { 'Content-Type': 'application/json' } }));
    };
    new MutationObserver((_, observer) => {
      if (document.querySelectorAll('[role=rowheader]').length < 100) return;
      observer.disconnect();
      // After the frame in which they are painted.
      requestAnimationFrame(() => setTimeout(() => Object.assign(window, { paintedMs: performance.now() })));
    }).observe(document, { childList: true, subtree: true });
  }, answers);
  // The processor time of the browser's page processes, and not the time on the clock: the machine may do other work meanwhile.
  const devtools = await page.context().browser()?.newBrowserCDPSession();
  const workedMs = async () => {
    const { processInfo } = (await devtools?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] };
    return new Map(processInfo.filter(({ type }) => type === 'renderer').map(({ id, cpuTime }) => [id, cpuTime * 1000]));
  };
  const taken: { onTheClock: number; worked: number; yardstick: number }[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = await workedMs();
    await page.reload();
    await page.waitForFunction(() => 'paintedMs' in window);
    const after = await workedMs();
    const worked = [...after].reduce((sum, [id, milliseconds]) => sum + milliseconds - (before.get(id) ?? 0), 0);
    const onTheClock = await page.evaluate(() => (window as unknown as { paintedMs: number }).paintedMs);
    taken.push({ onTheClock, worked, yardstick: await page.evaluate(yardstickMs) });
  }
  test.info().annotations.push({ type: 'milliseconds', description: JSON.stringify(taken) });
  const least = (name: keyof (typeof taken)[number]) => Math.min(...taken.map((round) => round[name]));
  const slowness = Math.max(1, least('yardstick') / YARDSTICK_MS);
  expect(least('worked') / slowness, JSON.stringify(taken)).toBeLessThan(600);
});

/** What the yardstick takes where the 600 ms were measured on the clock. */
const YARDSTICK_MS = 11;

/** The least time of some work that is always the same. */
function yardstickMs(): number {
  const taken: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const began = performance.now();
    const words = Array.from({ length: 20_000 }, (_, index) => ({ index, word: ((index * 7919) % 20_011).toString(36) }));
    JSON.parse(JSON.stringify(words.sort((a, b) => (a.word < b.word ? -1 : 1))));
    taken.push(performance.now() - began);
  }
  return Math.min(...taken);
}
