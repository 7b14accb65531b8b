import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { ErrorResponse, User, type UserManager } from 'oidc-client-ts';
import { describe, expect, it, vi } from 'vitest';

import { ThemeProvider } from '../ui/theme.tsx';
import { AuthGate } from './auth-gate.tsx';
import { type Session, useSession } from './session.ts';
import { makeUserManager, placeToReturnTo } from './user-manager.ts';
import { viewerOf } from './viewer.ts';

const CONFIG = {
  issuer: 'http://issuer.test',
  clientId: 'till-backoffice',
  resource: 'https://till.example/api',
  rolesClaim: 'roles',
  scope: 'openid profile offline_access',
};

function aUser(roles: readonly string[], changes: { readonly token?: string; readonly refresh?: string | undefined; readonly lives?: number } = {}): User {
  const refresh = 'refresh' in changes ? changes.refresh : 'a-refresh-token';
  return new User({
    access_token: changes.token ?? 'first-token',
    token_type: 'Bearer',
    profile: { sub: 'rita', name: 'Rita Sorensen', roles, iss: CONFIG.issuer, aud: CONFIG.clientId, exp: 0, iat: 0 },
    expires_at: Math.floor(Date.now() / 1000) + (changes.lives ?? 3600),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  });
}

function show(userManager: UserManager): { readonly session: () => Session } {
  let seen: Session | null = null;
  function Inside() {
    seen = useSession();
    return <p>{seen.ended ? 'ended' : `hello ${seen.viewer.name}`}</p>;
  }
  render(
    <ThemeProvider>
      <AuthGate userManager={userManager} rolesClaim={CONFIG.rolesClaim}>
        <Inside />
      </AuthGate>
    </ThemeProvider>,
  );
  return {
    session: () => {
      if (seen === null) throw new Error('no one is signed in');
      return seen;
    },
  };
}

async function signedIn(user: User | null): Promise<UserManager> {
  const userManager = makeUserManager(CONFIG, window.location.origin);
  if (user !== null) await userManager.storeUser(user);
  return userManager;
}

describe('the gate', () => {
  it('sends an unknown user to sign in, with the place to come back to', async () => {
    window.history.replaceState(null, '', '/purchases?status=REFUNDED');
    const userManager = await signedIn(null);
    const redirect = vi.spyOn(userManager, 'signinRedirect').mockResolvedValue();
    show(userManager);
    expect(await screen.findByText('Signing in…')).toBeVisible();
    await vi.waitFor(() => expect(redirect).toHaveBeenCalledExactlyOnceWith({ state: { returnTo: '/purchases?status=REFUNDED' } }));
  });

  it('says when the sign-in cannot be reached, and tries again', async () => {
    const userManager = await signedIn(null);
    const redirect = vi.spyOn(userManager, 'signinRedirect').mockRejectedValue(new Error('Failed to fetch'));
    show(userManager);
    expect(await screen.findByText('Failed to fetch')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(redirect).toHaveBeenCalledTimes(2);
  });

  it.each([['support'], ['admin']])('lets %s in', async (role) => {
    const { session } = show(await signedIn(aUser([role])));
    expect(await screen.findByText('hello Rita Sorensen')).toBeVisible();
    expect(session().viewer).toMatchObject({ subject: 'rita', isAdmin: role === 'admin', isSupport: true });
    expect(session().accessToken()).toBe('first-token');
  });

  it.each([['customer'], ['service'], ['unknown-role']])('tells %s that this is for support', async (role) => {
    const userManager = await signedIn(aUser([role]));
    vi.spyOn(userManager.metadataService, 'getMetadata').mockResolvedValue({ end_session_endpoint: 'http://issuer.test/end' });
    const revoke = vi.spyOn(userManager, 'revokeTokens').mockResolvedValue();
    const signOut = vi.spyOn(userManager, 'signoutRedirect').mockResolvedValue();
    show(userManager);
    expect(await screen.findByRole('heading', { name: 'This application is for support' })).toBeVisible();
    expect(screen.queryByText(/hello/)).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Sign out' }));
    await vi.waitFor(() => expect(signOut).toHaveBeenCalledOnce());
    expect(revoke).toHaveBeenCalledExactlyOnceWith(['refresh_token']);
  });

  it('renews by the refresh token once, however many requests were refused', async () => {
    const userManager = await signedIn(aUser(['support']));
    const silent = vi.spyOn(userManager, 'signinSilent').mockResolvedValue(aUser(['support'], { token: 'second-token' }));
    const { session } = show(userManager);
    await screen.findByText('hello Rita Sorensen');
    await act(async () => {
      expect(await Promise.all([session().renew('first-token'), session().renew('first-token')])).toEqual(['second-token', 'second-token']);
    });
    expect(silent).toHaveBeenCalledOnce();
  });

  it('gives the newer token immediately to a request that was refused with an older one', async () => {
    const userManager = await signedIn(aUser(['support']));
    const silent = vi.spyOn(userManager, 'signinSilent');
    const { session } = show(userManager);
    await screen.findByText('hello Rita Sorensen');
    expect(await session().renew('an-older-token')).toBe('first-token');
    expect(silent).not.toHaveBeenCalled();
  });

  it.each([
    ['the renewal is refused', 'a-refresh-token'],
    ['there is no refresh token', undefined],
  ])('keeps the application on the screen, and says that the session has ended, when %s', async (_when, refresh) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const userManager = await signedIn(aUser(['support'], { refresh }));
    vi.spyOn(userManager, 'signinSilent').mockRejectedValue(new ErrorResponse({ error: 'invalid_grant' }));
    const { session } = show(userManager);
    await screen.findByText('hello Rita Sorensen');
    await act(async () => expect(await session().renew('first-token')).toBeUndefined());
    expect(screen.getByText('ended')).toBeVisible();
  });

  it('keeps the session when the issuer cannot be reached, and renews it with the next request', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const userManager = await signedIn(aUser(['support']));
    const silent = vi.spyOn(userManager, 'signinSilent').mockRejectedValueOnce(new TypeError('Failed to fetch'));
    silent.mockResolvedValueOnce(aUser(['support'], { token: 'second-token' }));
    const { session } = show(userManager);
    await screen.findByText('hello Rita Sorensen');
    await act(async () => expect(await session().renew('first-token').catch((error: unknown) => error)).toBeInstanceOf(TypeError));
    expect(screen.getByText('hello Rita Sorensen')).toBeVisible();
    await act(async () => expect(await session().renew('first-token')).toBe('second-token'));
  });

  it('renews once when a request is refused while the token is about to end', async () => {
    // A minute before its end it is about to: in a second.
    const userManager = await signedIn(aUser(['support'], { lives: 61 }));
    let answer: (user: User) => void = () => {};
    const silent = vi.spyOn(userManager, 'signinSilent').mockReturnValue(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const { session } = show(userManager);
    await screen.findByText('hello Rita Sorensen');
    await vi.waitFor(() => expect(silent).toHaveBeenCalled(), { timeout: 8000 });
    const renewing = session().renew('first-token');
    answer(aUser(['support'], { token: 'second-token' }));
    await act(async () => expect(await renewing).toBe('second-token'));
    expect(silent).toHaveBeenCalledOnce();
  });

  it('without a refresh token does not end before the token does', async () => {
    const userManager = await signedIn(aUser(['support'], { lives: 61, refresh: undefined }));
    show(userManager);
    await screen.findByText('hello Rita Sorensen');
    await act(() => new Promise<void>((resolve) => void userManager.events.addAccessTokenExpiring(() => resolve())));
    await act(() => Promise.resolve());
    expect(screen.getByText('hello Rita Sorensen')).toBeVisible();
  });

  it('does not end when the token does, as long as it may still be renewed', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const userManager = await signedIn(aUser(['support'], { lives: 4 }));
    const silent = vi.spyOn(userManager, 'signinSilent').mockRejectedValue(new TypeError('Failed to fetch'));
    show(userManager);
    await screen.findByText('hello Rita Sorensen');
    // When it is about to end, and when it has.
    await vi.waitFor(() => expect(silent).toHaveBeenCalledTimes(2), { timeout: 8000 });
    await act(() => Promise.resolve());
    expect(screen.getByText('hello Rita Sorensen')).toBeVisible();
  });

  it('signs out in this tab when the issuer cannot be reached, and says so', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const userManager = await signedIn(aUser(['support']));
    const unreachable = new TypeError('Failed to fetch');
    vi.spyOn(userManager, 'revokeTokens').mockRejectedValue(unreachable);
    vi.spyOn(userManager.metadataService, 'getMetadata').mockRejectedValue(unreachable);
    const redirect = vi.spyOn(userManager, 'signinRedirect').mockRejectedValue(unreachable);
    const { session } = show(userManager);
    await screen.findByText('hello Rita Sorensen');
    act(() => session().signOut());
    expect(await screen.findByRole('heading', { name: 'You are signed out' })).toBeVisible();
    expect(screen.getByText(/The sign-in service could not be reached/)).toBeVisible();
    expect(screen.queryByText(/another tab/)).toBeNull();
    expect(await userManager.getUser()).toBeNull();
    expect(redirect).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByText('Failed to fetch')).toBeVisible();
  });
});

describe('the place to return to', () => {
  it.each([
    [{ returnTo: '/purchases?status=REFUNDED#x' }, '/purchases?status=REFUNDED#x'],
    [{ returnTo: '//evil.example' }, '/'],
    [{ returnTo: '/\\evil.example' }, '/'],
    [{ returnTo: 'https://evil.example' }, '/'],
    [{ returnTo: '/signed-in?code=x' }, '/'],
    [{ returnTo: 7 }, '/'],
    [undefined, '/'],
  ])('%o is %s', (state, place) => {
    expect(placeToReturnTo(state)).toBe(place);
  });
});

describe('a viewer', () => {
  it('is read from the claims', () => {
    expect(viewerOf({ sub: 'rita', roles: ['support', 'janitor'] }, 'roles')).toEqual({
      subject: 'rita',
      name: 'rita',
      roles: ['support'],
      isSupport: true,
      isAdmin: false,
    });
    expect(viewerOf({ sub: 'a', name: 'Amir', 'https://x/roles': 'admin' }, 'https://x/roles')).toMatchObject({ isAdmin: true, isSupport: true });
    expect(viewerOf({ sub: 'a' }, 'roles')).toMatchObject({ isSupport: false, roles: [] });
  });

  it.each<readonly [string, string, Record<string, unknown>, readonly string[]]>([
    ['a nested claim', 'realm_access.roles', { realm_access: { roles: ['support', 'offline_access'] } }, ['support']],
    ['a claim whose name has dots, before a nested one', 'a.roles', { 'a.roles': ['support'], a: { roles: ['admin'] } }, ['support']],
    ['a text with several', 'roles', { roles: 'support\tadmin  janitor' }, ['support', 'admin']],
    ['a nested text', 'a.b.c', { a: { b: { c: 'support' } } }, ['support']],
    ['a claim that leads nowhere', 'a.b.c', { a: 'support' }, []],
    ['a claim of every object', 'constructor.name', { roles: ['admin'] }, []],
    ['what is neither list nor text', 'roles', { roles: { support: true } }, []],
  ])('has the roles of %s, as the API reads them', (_what, claim, claims, roles) => {
    expect(viewerOf({ sub: 'a', ...claims }, claim).roles).toEqual(roles);
  });
});
