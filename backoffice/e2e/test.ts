import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';

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

/** WCAG 2.2 AA by axe, with no violation. Animations have to be over: a half-shown text has no contrast. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(violations.map((violation) => ({ rule: violation.id, nodes: violation.nodes.map((node) => node.html) }))).toEqual([]);
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
