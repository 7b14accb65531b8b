/** What the application is told by the place that serves it. */
export interface Config {
  /** The OpenID Connect issuer that representatives sign in with. */
  readonly issuer: string;
  readonly clientId: string;
  /** The API's identifier (RFC 8707): the audience of the access tokens. */
  readonly resource: string;
  /** The claim of the ID token that holds the roles. */
  readonly rolesClaim: string;
  /** What is asked for at sign-in; an issuer that knows no `offline_access` is given its own. */
  readonly scope: string;
}

/** The configuration could not be read, so nothing can be shown. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const DEFAULT_SCOPE = 'openid profile offline_access';

/** Checks a configuration document. */
export function parseConfig(document: unknown): Config {
  if (typeof document !== 'object' || document === null) {
    throw new ConfigError('/config.json is not an object.');
  }
  const values = new Map<string, unknown>(Object.entries(document));
  const text = (name: string): string => {
    const value = values.get(name);
    if (typeof value !== 'string' || value === '') {
      throw new ConfigError(`/config.json has no "${name}".`);
    }
    return value;
  };
  const issuer = text('issuer');
  if (!URL.canParse(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) {
    throw new ConfigError('The "issuer" in /config.json is not a web address.');
  }
  return {
    issuer,
    clientId: text('client_id'),
    resource: text('resource'),
    rolesClaim: text('roles_claim'),
    scope: values.has('scope') ? text('scope') : DEFAULT_SCOPE,
  };
}

/** Reads the configuration from the place that serves the application. */
export async function loadConfig(): Promise<Config> {
  let response: Response;
  try {
    response = await fetch('/config.json', { headers: { Accept: 'application/json' }, cache: 'no-store' });
  } catch (error) {
    throw new ConfigError('/config.json could not be reached.', { cause: error });
  }
  if (!response.ok) {
    throw new ConfigError(`/config.json was answered with ${response.status}.`);
  }
  let document: unknown;
  try {
    document = await response.json();
  } catch (error) {
    throw new ConfigError('/config.json is not JSON.', { cause: error });
  }
  return parseConfig(document);
}
