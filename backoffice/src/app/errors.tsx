import { isRouteErrorResponse, useRouteError } from 'react-router';

import { Button, TextLink } from '../ui/button.tsx';
import { FullPage } from '../ui/full-page.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { places } from './places.ts';

/** There is no such page. */
export function NotFound() {
  return (
    <Page title="Page not found">
      <Empty title="There is no page at this address." action={<TextLink to={places.customers()}>Go to the customers</TextLink>}>
        Check the address, or search for a customer above.
      </Empty>
    </Page>
  );
}

/** Something failed that no page expected: it is said, not swallowed. */
export function RouteError() {
  const error = useRouteError();
  const message = isRouteErrorResponse(error)
    ? `${error.status} ${error.statusText}`
    : error instanceof Error
      ? error.message
      : String(error);
  // The files of a page carry a hash in their names; after a deployment, the old ones are gone.
  const outdated = /dynamically imported module|module script failed|Failed to fetch/i.test(message);
  return (
    <FullPage
      title={outdated ? 'A newer version is there' : 'Something went wrong'}
      actions={<Button label="Load again" onClick={() => window.location.reload()} />}
    >
      {outdated ? (
        <p>This page could not be loaded, most likely because the application was updated meanwhile.</p>
      ) : (
        <>
          <p>The application failed to show this page. Nothing was changed by that. It says:</p>
          <p className="till-quote">{message}</p>
        </>
      )}
    </FullPage>
  );
}
