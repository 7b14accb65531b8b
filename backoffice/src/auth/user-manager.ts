import { InMemoryWebStorage, UserManager, type UserManagerSettings, WebStorageStateStore } from 'oidc-client-ts';

import type { Config } from '../config.ts';

export const CALLBACK_PATH = '/signed-in';

/** The OpenID Connect client: authorization code with PKCE, renewed by refresh token, kept per tab. */
export function makeUserManager(config: Config, origin: string): UserManager {
  return new UserManager(settings(config, origin));
}

/** The client of a window that signs in for another tab: it keeps no user, for a refresh token is one tab's alone. */
export function makeWindowUserManager(config: Config, origin: string): UserManager {
  return new UserManager({
    ...settings(config, origin),
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  });
}

function settings(config: Config, origin: string): UserManagerSettings {
  return {
    authority: config.issuer,
    client_id: config.clientId,
    redirect_uri: `${origin}${CALLBACK_PATH}`,
    post_logout_redirect_uri: `${origin}/`,
    response_type: 'code',
    scope: config.scope,
    // RFC 8707: the token is for this API. It has to be named when the code is exchanged, too.
    resource: config.resource,
    extraTokenParams: { resource: config.resource },
    // AuthGate renews: a refresh token can be used only once, so there must not be two renewals at the same time.
    automaticSilentRenew: false,
    // Would be done in an iframe, which the Content-Security-Policy does not allow.
    monitorSession: false,
    validateSubOnSilentRenew: true,
    loadUserInfo: false,
    // A tab's storage ends with the tab: a token does not outlive the work it was for.
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    // Signing out waits for the revocation, but no longer than this.
    requestTimeoutInSeconds: 10,
  };
}

/** The state that travels through the sign-in. */
export interface SignInState {
  readonly returnTo: string;
}

/** Where the viewer is now, to come back to. */
export function currentPlace(location: Location): SignInState {
  return { returnTo: `${location.pathname}${location.search}${location.hash}` };
}

/** Where to go after signing in. Only ever a place of this application. */
export function placeToReturnTo(state: unknown): string {
  const place = typeof state === 'object' && state !== null && 'returnTo' in state ? state.returnTo : undefined;
  const ours = typeof place === 'string' && /^\/(?![/\\])/.test(place) && !place.startsWith(CALLBACK_PATH);
  return ours ? place : '/';
}
