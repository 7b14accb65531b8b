import { ErrorResponse, User, type UserManager } from 'oidc-client-ts';
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { AuthProvider, useAuth } from 'react-oidc-context';

import { Button } from '../ui/button.tsx';
import { FullPage } from '../ui/full-page.tsx';
import { Loading } from '../ui/states.tsx';
import { type Session, SessionContext } from './session.ts';
import { openSignInWindow } from './sign-in-window.ts';
import { listenToTabs, tellTabs } from './tabs.ts';
import { currentPlace, placeToReturnTo } from './user-manager.ts';
import { viewerOf } from './viewer.ts';

interface AuthGateProps {
  readonly userManager: UserManager;
  readonly rolesClaim: string;
  readonly children: ReactNode;
}

/** Lets signed-in support through, sends everybody else to sign in, and says so to those it is not for. */
export function AuthGate({ userManager, rolesClaim, children }: AuthGateProps) {
  return (
    <AuthProvider
      userManager={userManager}
      onSigninCallback={(user) => {
        // Before the router is made: it starts at the place that was wanted, and the code is out of the history.
        window.history.replaceState(null, '', placeToReturnTo(user?.state));
      }}
    >
      <Gate userManager={userManager} rolesClaim={rolesClaim}>
        {children}
      </Gate>
    </AuthProvider>
  );
}

function Gate({ userManager, rolesClaim, children }: AuthGateProps) {
  const auth = useAuth();
  const { user } = auth;
  const [ended, setEnded] = useState(false);
  // Signed out without leaving this page: in another tab, or in this one while the issuer could not be reached.
  const [signedOut, setSignedOut] = useState<'elsewhere' | 'here' | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  // Who signed in again, if it was not the one whose page this is.
  const [stranger, setStranger] = useState<string | null>(null);
  const [blocked, setBlocked] = useState(false);
  // Names this tab to the window in which its user signs in again.
  const [tab] = useState(() => Math.random().toString(36).slice(2));
  const leaving = useRef(false);
  const renewal = useRef<Promise<string | undefined> | null>(null);
  // After the first sign-in the application stays on the screen when the session ends: what was typed is kept.
  const [entered, setEntered] = useState(false);
  if (user && !user.expired && !entered) setEntered(true);

  const leave = useCallback(
    (how: () => Promise<void>) => {
      if (leaving.current) return;
      leaving.current = true;
      setFailure(null);
      how().catch((error: unknown) => {
        leaving.current = false;
        setFailure(error instanceof Error ? error : new Error(String(error)));
      });
    },
    [],
  );
  const signIn = useCallback(
    () => leave(() => userManager.signinRedirect({ state: currentPlace(window.location) })),
    [leave, userManager],
  );
  const signInAgain = useCallback(
    () => setBlocked(!openSignInWindow(tab, { asksForPassword: stranger !== null })),
    [tab, stranger],
  );
  const signOut = useCallback(
    () =>
      leave(async () => {
        tellTabs({ kind: 'signed-out', tab });
        await revoke(userManager);
        try {
          const metadata = await userManager.metadataService.getMetadata();
          if (metadata.end_session_endpoint === undefined) {
            await userManager.removeUser();
            window.location.assign('/');
          } else {
            await userManager.signoutRedirect();
          }
        } catch (error) {
          console.warn('The session of the issuer could not be ended.', error);
          await userManager.removeUser();
          setSignedOut('here');
          leaving.current = false;
        }
      }),
    [leave, userManager, tab],
  );

  const subject = user?.profile.sub;
  useEffect(
    () =>
      listenToTabs((news) => {
        if (news.kind === 'signed-out') {
          if (news.tab === tab) return;
          setSignedOut('elsewhere');
          void revoke(userManager).then(() => userManager.removeUser());
        } else if (news.tab === tab) {
          const again = User.fromStorageString(news.user);
          const same = again.profile.sub === subject;
          setStranger(same ? null : (again.profile.name ?? again.profile.sub));
          // Only the person who typed this may send it.
          if (same) void userManager.storeUser(again).then(() => userManager.events.load(again));
        }
      }),
    [userManager, tab, subject],
  );

  const mustSignIn = !auth.isLoading && !auth.isAuthenticated && !entered && auth.error === undefined && failure === null;
  useEffect(() => {
    if (mustSignIn) signIn();
  }, [mustSignIn, signIn]);

  // The token is read when a request is made, not when the session object was: a renewal makes no new session.
  const token = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    token.current = user?.access_token;
  }, [user]);

  const renew = useCallback(
    (refused: string | undefined): Promise<string | undefined> => {
      if (token.current !== undefined && token.current !== refused) return Promise.resolve(token.current);
      // Several requests may be refused at once; a refresh token can be used only once.
      renewal.current ??= userManager
        .getUser()
        .then((held) => (held?.refresh_token === undefined ? null : userManager.signinSilent()))
        .then(
          (renewed) => {
            if (renewed === null) setEnded(true);
            return renewed?.access_token;
          },
          (error: unknown) => {
            console.warn('The session could not be renewed.', error);
            // The refresh token may still be good: the next request tries again.
            if (!(error instanceof ErrorResponse)) throw error;
            setEnded(true);
            return undefined;
          },
        )
        .finally(() => {
          renewal.current = null;
        });
      return renewal.current;
    },
    [userManager],
  );

  const canRenew = user?.refresh_token !== undefined;
  useEffect(() => {
    const renewInTime = () => {
      renew(token.current).catch(() => {
        // Whatever needs a token tries again, and says what went wrong.
      });
    };
    const stops = [
      // Without a refresh token the session goes on until the access token ends.
      userManager.events.addAccessTokenExpiring(() => {
        if (canRenew) renewInTime();
      }),
      userManager.events.addAccessTokenExpired(renewInTime),
      userManager.events.addUserSignedOut(() => setEnded(true)),
      userManager.events.addUserLoaded(() => setEnded(false)),
    ];
    return () => stops.forEach((stop) => stop());
  }, [userManager, canRenew, renew]);

  const profile = user?.profile;
  const signInHint = blocked
    ? 'The browser blocked the window: allow pop-up windows for this site, and try again.'
    : stranger === null
      ? undefined
      : `You signed in as ${stranger}. This page belongs to ${viewerOf({ ...profile }, rolesClaim).name}: sign in as the same person.`;
  const session = useMemo<Session | null>(
    () =>
      profile === undefined
        ? null
        : {
            viewer: viewerOf({ ...profile }, rolesClaim),
            ended,
            accessToken: () => token.current,
            renew,
            signInHint,
            signInAgain,
            signOut,
          },
    [profile, rolesClaim, ended, renew, signInHint, signInAgain, signOut],
  );

  if (signedOut !== null && failure === null) {
    return (
      <FullPage title="You are signed out" actions={<Button label="Sign in" onClick={signIn} />}>
        <p>
          {signedOut === 'elsewhere'
            ? 'You signed out in another tab.'
            : 'You are signed out of the back office. The sign-in service could not be reached, so you may still be signed in there: it may let you in again without a password.'}
        </p>
      </FullPage>
    );
  }
  // The session has functions that read the token when they are called; the rule takes that for now.
  /* eslint-disable react-hooks/refs */
  if (signedOut === null && entered && session !== null) {
    if (!session.viewer.isSupport) return <NotForYou session={session} />;
    return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
  }
  /* eslint-enable react-hooks/refs */
  const problem = failure ?? auth.error;
  if (problem) {
    return (
      <FullPage title="Signing in did not work" actions={<Button label="Try again" onClick={signIn} />}>
        <p>The sign-in service could not be used. If this stays so, tell the people who run it what it said:</p>
        <p className="till-quote">{problem.message}</p>
      </FullPage>
    );
  }
  return (
    <FullPage title="Till back office">
      <Loading label="Signing in" />
    </FullPage>
  );
}

/**
 * Revokes the refresh token. The access token cannot be revoked, because the API checks nothing but its signature and
 * its end; it ends within minutes. A failure does not keep anybody from signing out.
 */
async function revoke(userManager: UserManager): Promise<void> {
  try {
    await userManager.revokeTokens(['refresh_token']);
  } catch (error) {
    console.warn('The refresh token could not be revoked.', error);
  }
}

function NotForYou({ session }: { readonly session: Session }) {
  return (
    <FullPage title="This application is for support" actions={<Button label="Sign out" onClick={session.signOut} />}>
      <p>
        You are signed in as <strong>{session.viewer.name}</strong>, who does not have the role “support” or “admin”. Nothing of
        Till can be seen or changed here without one of them.
      </p>
      <p>If you work in support, ask an administrator for the role, sign out, and sign in again.</p>
    </FullPage>
  );
}
