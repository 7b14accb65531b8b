import type { Connect, Plugin, ProxyOptions } from 'vite';

import headers from '../security-headers.json' with { type: 'json' };

/** What the application is served with on one's own machine; in AWS, CloudFront does all of this. */
export interface Serving {
  readonly apiUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

/** Reads the serving from the environment; says which variable is missing. */
export function servingFromEnvironment(environment: NodeJS.ProcessEnv): Serving {
  const read = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') {
      throw new Error(`${name} is not set: TILL_API_URL, TILL_ISSUER and TILL_AUDIENCE tell what to serve the back office with`);
    }
    return value;
  };
  return {
    apiUrl: read('TILL_API_URL').replace(/\/+$/, ''),
    issuer: read('TILL_ISSUER'),
    audience: read('TILL_AUDIENCE'),
  };
}

/** `/v1/*` of this origin is the API. */
export function apiProxy(serving: Serving): Record<string, ProxyOptions> {
  return {
    '^/v1/': {
      target: serving.apiUrl,
      changeOrigin: true,
      rewrite: (path) => path.replace(/^\/v1/, ''),
    },
  };
}

/**
 * The headers that every answer carries: those of security-headers.json, which CloudFront is given, too.
 *
 * Strict: what the policy does not name is refused.
 */
export function securityHeaders(issuer: string): Record<string, string> {
  const { origin } = new URL(issuer);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      (Array.isArray(value) ? value.join('; ') : value).replaceAll('{issuer}', origin),
    ]),
  );
}

/** Serves `/config.json`, and sets the security headers on the built application. */
export function serving(read: () => Serving): Plugin {
  const config = (values: Serving): Connect.NextHandleFunction => {
    const body = JSON.stringify({
      issuer: values.issuer,
      client_id: 'till-backoffice',
      resource: values.audience,
      roles_claim: 'roles',
    });
    return (request, response, next) => {
      if (request.url?.split('?')[0] !== '/config.json') {
        next();
        return;
      }
      response.setHeader('Content-Type', 'application/json');
      response.setHeader('Cache-Control', 'no-store');
      response.end(body);
    };
  };
  return {
    name: 'till:serving',
    configureServer(server) {
      server.middlewares.use(config(read()));
    },
    configurePreviewServer(server) {
      const values = read();
      const set = Object.entries(securityHeaders(values.issuer));
      server.middlewares.use((_request, response, next) => {
        for (const [name, value] of set) response.setHeader(name, value);
        next();
      });
      server.middlewares.use(config(values));
    },
  };
}
