import { QueryClient } from '@tanstack/react-query';

import { Problem } from './problem.ts';

const RETRIES = 2;

/** Another try may work: there was no answer, there were too many requests, or the server failed. */
export function isWorthRetrying(error: unknown): boolean {
  return error instanceof Problem && (error.isUncertain || error.status === 429);
}

/** How reads are kept. Changes go through useMoneyAction, never through here. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Long enough to go back to a list immediately, short enough that a rep on the phone sees what is true now.
        staleTime: 15_000,
        // Back navigation after a long call still finds the list as it was.
        gcTime: 30 * 60_000,
        retry: (failures, error) => failures < RETRIES && isWorthRetrying(error),
        retryDelay: (failures) => Math.min(1000 * 2 ** failures, 5000),
        // A query asks even when the browser believes to be offline: then there is a problem to show, not an endless wait.
        networkMode: 'always',
      },
    },
  });
}
