import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { Link, type Location, useLocation } from 'react-router';

import { useCustomer } from '../api/queries.ts';
import { TextLink } from '../ui/button.tsx';
import { places } from './places.ts';

const listsByClient = new WeakMap<QueryClient, Map<string, Location<unknown>>>();

function listsOf(client: QueryClient): Map<string, Location<unknown>> {
  const lists = listsByClient.get(client) ?? new Map<string, Location<unknown>>();
  listsByClient.set(client, lists);
  return lists;
}

/** Called by a list: a `ListLink` of something that was opened from it leads back to it with its filters and page. */
export function useRememberedList(): void {
  const location = useLocation();
  const client = useQueryClient();
  useEffect(() => {
    listsOf(client).set(location.pathname, location);
  }, [client, location]);
}

/** The link from a thing to its list: as the list was when it was last seen, or as it is at first. */
export function ListLink({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  const lists = listsOf(useQueryClient());
  const seen = lists.get(to);
  return (
    <Link className="till-link" to={seen === undefined ? to : { pathname: seen.pathname, search: seen.search }} state={seen?.state}>
      {children}
    </Link>
  );
}

interface CustomerLinkProps {
  readonly customerId: string;
  /** Null where the Customer API could not be asked. */
  readonly name: string | null;
}

/** A customer by name; by the beginning of the id where the name is not known. */
export function CustomerLink({ customerId, name }: CustomerLinkProps) {
  return (
    <TextLink to={places.customer(customerId)}>{name ?? <code title={customerId}>{customerId.slice(0, 8)}</code>}</TextLink>
  );
}

/** A customer whose name has to be asked for; by id until then, and where there is none to be had. */
export function NamedCustomerLink({ customerId }: { readonly customerId: string }) {
  const customer = useCustomer(customerId);
  return <CustomerLink customerId={customerId} name={customer.data?.name ?? null} />;
}
