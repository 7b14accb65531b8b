import { UserManager, WebStorageStateStore } from 'oidc-client-ts';

import type { Config } from '../config.ts';

const CALLBACK_PATH = '/signed-in';

/** The OpenID Connect client: authorization code with PKCE, renewed by refresh token, kept per tab. */
export function makeUserManager(config: Config, origin: string): UserManager {
  return new UserManager({
    authority: config.issuer,
    client_id: config.clientId,
    redirect_uri: `${origin}${CALLBACK_PATH}`,
    post_logout_redirect_uri: `${origin}/`,
    response_type: 'code',
    scope: config.scope,
    // RFC 8707: the token is for this API. It has to be named when the code is exchanged, too.
    resource: config.resource,
    extraTokenParams: { resource: config.resource },
    automaticSilentRenew: true,
    // Would be done in an iframe, which the Content-Security-Policy does not allow.
    monitorSession: false,
    validateSubOnSilentRenew: true,
    loadUserInfo: false,
    // A tab's storage ends with the tab: a token does not outlive the work it was for.
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });
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
