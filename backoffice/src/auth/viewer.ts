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

type Claims = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Claims => typeof value === 'object' && value !== null;

/** A claim as the API reads it: by its own name, which may have dots, or else by dots into nested ones (`realm_access.roles`). */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => (isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined), claims);
}

/** The names in a list, or in a text with spaces. */
function namesIn(claim: unknown): readonly unknown[] {
  if (typeof claim === 'string') return claim.split(/\s+/);
  return Array.isArray(claim) ? claim : [];
}

/** The viewer that the claims of an ID token tell of. Roles that are not ours are left out. */
export function viewerOf(claims: Claims, rolesClaim: string): Viewer {
  const subject = firstText(claims['sub']) ?? '';
  const held = namesIn(claimOf(claims, rolesClaim));
  return makeViewer(
    subject,
    firstText(claims['name'], claims['preferred_username'], claims['email'], subject) ?? '',
    ROLES.filter((role) => held.includes(role)),
  );
}
