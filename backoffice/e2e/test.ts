import { test as base, expect, type Page } from '@playwright/test';
import axe from 'axe-core';

export { expect };

/** The people of the development identity provider, by the names on its sign-in page. */
export const PEOPLE = { rita: 'Rita Sorensen', amir: 'Amir Haddad', chiara: 'Chiara Lindqvist' } as const;

/** Opens a page of the application without a session, and signs in. */
export async function signIn(page: Page, who: keyof typeof PEOPLE, place = '/customers'): Promise<void> {
  const { origin } = new URL(backOffice());
  await page.goto(place);
  await page.getByRole('button', { name: PEOPLE[who] }).click();
  await page.waitForURL((url) => url.origin === origin);
  // Not that of the gate, which stands there while the token is fetched.
  await expect(page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'Till back office' })).toBeVisible();
}

/** Where the back office is: the system that `make run` started says so. */
export function backOffice(): string {
  const url = process.env['TILL_BACKOFFICE_URL'];
  if (url === undefined || url === '') {
    throw new Error('TILL_BACKOFFICE_URL is not set: the end-to-end tests run against a system that is running');
  }
  return url;
}

const RULES: Readonly<Record<'all' | 'colours', axe.RunOnly>> = {
  all: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  // What another theme can change.
  colours: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
};

/**
 * WCAG 2.2 AA by axe, with no violation. Animations have to be over: a half-shown text has no contrast.
 *
 * axe is loaded once for each document. @axe-core/playwright loads it for each check, and opens a tab for each: three
 * seconds instead of a third of one. It does so for frames of other origins, of which there are none here.
 */
export async function expectAccessible(page: Page, rules: keyof typeof RULES = 'all'): Promise<void> {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
  if (await page.evaluate(() => !('axe' in window))) await page.evaluate(axe.source);
  const violations = await page.evaluate(async (runOnly) => {
    const { axe: loaded } = window as unknown as { readonly axe: typeof axe };
    const { violations: found } = await loaded.run({ runOnly, resultTypes: ['violations'] });
    return found.map(({ id, nodes }) => ({ rule: id, nodes: nodes.map(({ html }) => html) }));
  }, RULES[rules]);
  expect(violations).toEqual([]);
}

/** Switches the theme without a reload, as the system does in the evening. */
export async function switchTheme(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await expect(page.locator(`[data-cui-theme="${theme}"]`).first()).toBeAttached();
}

/** No part of the page is wider than the window. */
export async function expectToFit(page: Page): Promise<void> {
  // The chart follows the width a frame later, by its own observer.
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await expect.poll(overflow, { message: page.url() }).toBe(0);
}

/** Tests in which a violated Content-Security-Policy, an uncaught error or a request to another host is a failure. */
export const test = base.extend<{ readonly watched: void }>({
  watched: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      // Two hosts: the application's, and the issuer's that its own policy names.
      let allowed: readonly string[] = [new URL(backOffice()).origin];
      page.on('response', (response) => {
        const policy = response.headers()['content-security-policy'];
        const connect = /connect-src 'self' (\S+?);/.exec(policy ?? '')?.[1];
        if (connect !== undefined && new URL(response.url()).origin === allowed[0]) allowed = [allowed[0], connect];
      });
      page.on('request', (request) => {
        const { origin, protocol } = new URL(request.url());
        if (/^https?:$/.test(protocol) && !allowed.includes(origin)) complaints.push(`a request to ${request.url()}`);
      });
      page.on('pageerror', (error) => complaints.push(`an uncaught ${error.message}`));
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
      });
      await use();
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});
