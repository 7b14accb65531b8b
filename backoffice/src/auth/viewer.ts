/** The roles of the API; a back office is for the two of them that read everything. */
export type Role = 'customer' | 'support' | 'admin' | 'service';

const ROLES: readonly Role[] = ['customer', 'support', 'admin', 'service'];

/** Who is signed in. */
export interface Viewer {
  readonly name: string;
  /** The actor that the ledger will name. */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** May use this application at all. */
  readonly isSupport: boolean;
  /** May change promo codes, and move amounts above the limit. */
  readonly isAdmin: boolean;
}

/** A viewer with these roles; an admin can do all that support can. */
export function makeViewer(subject: string, name: string, roles: readonly Role[]): Viewer {
  const isAdmin = roles.includes('admin');
  return { subject, name, roles, isAdmin, isSupport: isAdmin || roles.includes('support') };
}

const firstText = (...values: readonly unknown[]): string | undefined =>
  values.find((value): value is string => typeof value === 'string' && value !== '');

/** The viewer that the claims of an ID token tell of. Roles that are not ours are left out. */
export function viewerOf(claims: Readonly<Record<string, unknown>>, rolesClaim: string): Viewer {
  const subject = firstText(claims['sub']) ?? '';
  const named = claims[rolesClaim];
  const held: readonly unknown[] = Array.isArray(named) ? named : [named];
  return makeViewer(
    subject,
    firstText(claims['name'], claims['preferred_username'], claims['email'], subject) ?? '',
    ROLES.filter((role) => held.includes(role)),
  );
}
