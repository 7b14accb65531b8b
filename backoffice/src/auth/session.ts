import { createContext, useContext } from 'react';

import type { Viewer } from './viewer.ts';

/** A signed-in session, wherever it came from: OpenID Connect in the application, made up in tests. */
export interface Session {
  readonly viewer: Viewer;
  /** The session is over and could not be renewed: nothing can be read or changed until signing in again. */
  readonly ended: boolean;
  /** The token to call the API with. */
  readonly accessToken: () => string | undefined;
  /** A token newer than the one that was refused; undefined if the session has ended. Rejects if the issuer gave no answer. */
  readonly renew: (refused: string | undefined) => Promise<string | undefined>;
  /** Why signing in again has not worked yet, in a sentence. */
  readonly signInHint: string | undefined;
  /** Opens a window to sign in, and leaves this page as it is. */
  readonly signInAgain: () => void;
  readonly signOut: () => void;
}

export const SessionContext = createContext<Session | null>(null);

/** The session. Only below AuthGate. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) {
    throw new Error('useSession needs a SessionContext above it');
  }
  return session;
}

/** Who is signed in: name, subject, roles, isAdmin. */
export function useViewer(): Viewer {
  return useSession().viewer;
}
