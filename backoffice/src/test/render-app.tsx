import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, type RenderResult } from '@testing-library/react';
import userEvent, { type UserEvent } from '@testing-library/user-event';
import type { ReactNode } from 'react';
// RouterProvider not from react-router/dom: outside of a bundler, Node takes that for another copy of the router.
import { createMemoryRouter, RouterProvider } from 'react-router';
import { vi } from 'vitest';

import { ApiContext, makeApi } from '../api/client.ts';
import { makeQueryClient } from '../api/query-client.ts';
import { routes } from '../app/routes.tsx';
import { type Session, SessionContext } from '../auth/session.ts';
import { makeViewer, type Role } from '../auth/viewer.ts';
import { ThemeProvider } from '../ui/theme.tsx';
import { ToastProvider } from '../ui/toast.tsx';

interface RenderOptions {
  /** The roles of the made-up user; support unless told otherwise. */
  readonly roles?: readonly Role[];
  readonly session?: Partial<Session>;
}

interface Rendered extends RenderResult {
  readonly user: UserEvent;
  readonly queryClient: QueryClient;
  readonly session: Session;
}

/** A session of a made-up user. */
export function makeSession({ roles = ['support'], session = {} }: RenderOptions = {}): Session {
  return {
    viewer: makeViewer('rita', 'Rita Sorensen', roles),
    ended: false,
    accessToken: () => 'a-token',
    renew: () => Promise.resolve(undefined),
    signInHint: undefined,
    signInAgain: vi.fn(),
    signOut: vi.fn(),
    ...session,
  };
}

/** A query client as in the application, but which does not try again: a test of an error need not wait. */
export function makeTestQueryClient(): QueryClient {
  const client = makeQueryClient();
  const defaults = client.getDefaultOptions();
  client.setDefaultOptions({ ...defaults, queries: { ...defaults.queries, retry: false } });
  return client;
}

function providers(session: Session, queryClient: QueryClient, children: ReactNode): ReactNode {
  return (
    <ThemeProvider>
      <SessionContext.Provider value={session}>
        <QueryClientProvider client={queryClient}>
          <ApiContext.Provider value={makeApi(window.location.origin, session)}>{children}</ApiContext.Provider>
        </QueryClientProvider>
      </SessionContext.Provider>
    </ThemeProvider>
  );
}

/** The whole application at an address, with a user signed in: `renderApp('/purchases', { roles: ['admin'] })`. */
export function renderApp(route: string, options: RenderOptions = {}): Rendered & { readonly router: ReturnType<typeof createMemoryRouter> } {
  const session = makeSession(options);
  const queryClient = makeTestQueryClient();
  const router = createMemoryRouter(routes, { initialEntries: [route] });
  const result = render(providers(session, queryClient, <RouterProvider router={router} />));
  return { ...result, user: userEvent.setup(), queryClient, session, router };
}

/** One component, with everything around it that it may ask for. */
export function renderPart(part: ReactNode, options: RenderOptions = {}): Rendered {
  const session = makeSession(options);
  const queryClient = makeTestQueryClient();
  const router = createMemoryRouter([{ path: '*', element: <ToastProvider>{part}</ToastProvider> }]);
  const result = render(providers(session, queryClient, <RouterProvider router={router} />));
  return { ...result, user: userEvent.setup(), queryClient, session };
}
