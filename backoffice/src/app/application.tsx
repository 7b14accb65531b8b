import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { createBrowserRouter } from 'react-router';
import { RouterProvider } from 'react-router/dom';

import { ApiContext, makeApi } from '../api/client.ts';
import { makeQueryClient } from '../api/query-client.ts';
import { useSession } from '../auth/session.ts';
import { routes } from './routes.tsx';

/** The application, for a user who is signed in. */
export function Application() {
  const { accessToken, renew, ended } = useSession();
  // Made once, after the sign-in: the router starts at the address that was wanted. Both functions stay the same.
  const [router] = useState(() => createBrowserRouter(routes));
  const [api] = useState(() => makeApi(window.location.origin, { accessToken, renew }));
  const [queryClient] = useState(makeQueryClient);
  useEffect(() => {
    // What was refused while there was no session is asked for again.
    if (!ended) void queryClient.invalidateQueries();
  }, [ended, queryClient]);
  return (
    <QueryClientProvider client={queryClient}>
      <ApiContext.Provider value={api}>
        <RouterProvider router={router} />
      </ApiContext.Provider>
    </QueryClientProvider>
  );
}
