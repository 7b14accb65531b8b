/**
 * What the application is served with on one's own machine. On AWS, CloudFront does all of this.
 *
 * Plain JavaScript with types in comments: `serve.js` runs it as it is, with nothing but Node.
 */

import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Serving
 * @property {string} apiUrl The API with its stage, without a slash at the end
 * @property {string} issuer
 * @property {string} audience
 */

/**
 * Reads the settings from the environment, and names the variable that is missing.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Serving}
 */
export function servingFromEnvironment(environment) {
  /** @param {string} name */
  const read = (name) => {
    const value = environment[name];
    if (value === undefined || value === '') {
      throw new Error(`${name} is not set: the back office is served with TILL_API_URL, TILL_ISSUER and TILL_AUDIENCE`);
    }
    return value;
  };
  return {
    apiUrl: read('TILL_API_URL').replace(/\/+$/, ''),
    issuer: read('TILL_ISSUER'),
    audience: read('TILL_AUDIENCE'),
  };
}

/**
 * The headers of every answer: those of security-headers.json, which CloudFront is given, too.
 *
 * @param {string} issuer
 * @returns {Record<string, string>}
 */
export function securityHeaders(issuer) {
  /** @type {Record<string, string | string[]>} */
  const headers = JSON.parse(readFileSync(new URL('../security-headers.json', import.meta.url), 'utf8'));
  const { origin } = new URL(issuer);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      (Array.isArray(value) ? value.join('; ') : value).replaceAll('{issuer}', origin),
    ]),
  );
}

/**
 * `/config.json`, which tells the application where to sign in.
 *
 * @param {Serving} serving
 */
export function configuration(serving) {
  return JSON.stringify({
    issuer: serving.issuer,
    client_id: 'till-backoffice',
    resource: serving.audience,
    roles_claim: 'roles',
  });
}
