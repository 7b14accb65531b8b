import type { Config } from '../config.ts';
import { tellTabs } from './tabs.ts';
import { CALLBACK_PATH, makeWindowUserManager } from './user-manager.ts';

const PATH = '/sign-in-again';
/** Survives the way to the issuer and back; no other tab sees it. */
const STORED = 'till.signing-in-for';

/**
 * Opens the window in which the user signs in again for this tab, which keeps its page meanwhile; see SignInWindow.
 * False if the browser blocked it.
 */
export function openSignInWindow(tab: string, { asksForPassword }: { readonly asksForPassword: boolean }): boolean {
  const query = new URLSearchParams({ tab, ...(asksForPassword ? { prompt: 'login' } : {}) });
  return window.open(`${PATH}?${query.toString()}`, 'till-sign-in', 'popup,width=520,height=720') !== null;
}

/** The tab for which this window signs in; undefined in a window of the application itself. */
export function tabToSignInFor({ pathname, search }: Location): string | undefined {
  if (pathname === PATH) sessionStorage.setItem(STORED, new URLSearchParams(search).get('tab') ?? '');
  else if (pathname !== CALLBACK_PATH) sessionStorage.removeItem(STORED);
  return sessionStorage.getItem(STORED) ?? undefined;
}

/**
 * Signs in for another tab: first leaves for the issuer, and when it comes back, hands the session over.
 *
 * The other tab cannot be called directly: the Cross-Origin-Opener-Policy cuts a window off from its opener on the way
 * to the issuer. Gives back whether the session was handed over.
 */
export async function signInFor(tab: string, config: Config, location: Location): Promise<boolean> {
  const userManager = makeWindowUserManager(config, location.origin);
  if (location.pathname === PATH) {
    const prompt = new URLSearchParams(location.search).get('prompt');
    await userManager.signinRedirect(prompt === null ? {} : { prompt });
    return false;
  }
  const user = await userManager.signinCallback();
  if (user === undefined) throw new Error('The sign-in service named no user.');
  sessionStorage.removeItem(STORED);
  tellTabs({ kind: 'signed-in', tab, user: user.toStorageString() });
  return true;
}
