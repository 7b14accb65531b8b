/**
 * Serves the provider on this machine:
 *
 *     node server.js --issuer http://127.0.0.1:9100 --audience https://api.example
 *       --keys PATH [--backoffice-url http://127.0.0.1:8080] [--host 0.0.0.0] [--port 9100]
 *
 * It listens where its issuer's address says, unless told else: in a container, what is its own port
 * on every interface may be another one of the loopback outside.
 *
 * The key that signs is created at each start. Its private half is written to PATH, for tests
 * that have to sign tokens as this provider does.
 */

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { exportJWK, generateKeyPair, calculateJwkThumbprint } from 'jose';

import { reportTo } from './journal.js';
import { makeProvider } from './provider.js';

const READY = '/_control/ready';

/** @param {string} name @param {string | undefined} value */
function needed(name, value) {
  if (value === undefined) throw new Error(`--${name} is needed.`);
  return value;
}

/** A private RSA key as a JWK, named by its own thumbprint. */
async function makeKey() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = await exportJWK(privateKey);
  return { ...key, kid: await calculateJwkThumbprint(key), alg: 'RS256', use: 'sig' };
}

/**
 * A file that is there completely or not at all, and that other users cannot read.
 *
 * @param {string} path
 * @param {string} text
 */
function writePrivately(path, text) {
  const scratch = `${path}.${process.pid}`;
  rmSync(scratch, { force: true });
  writeFileSync(scratch, text, { mode: 0o600, flag: 'wx' });
  renameSync(scratch, path);
}

const { values } = parseArgs({
  options: {
    issuer: { type: 'string' },
    audience: { type: 'string' },
    keys: { type: 'string' },
    'backoffice-url': { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string' },
  },
});
const issuer = needed('issuer', values.issuer);
const key = await makeKey();
const provider = makeProvider({
  issuer,
  audience: needed('audience', values.audience),
  backofficeUrl: values['backoffice-url'],
  key,
});
reportTo(provider, console.log);
writePrivately(needed('keys', values.keys), `${JSON.stringify({ keys: [key] }, null, 2)}\n`);

const answer = provider.callback();
const { hostname, port } = new URL(issuer);
createServer((request, response) => {
  if (request.url === READY) {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ pid: process.pid }));
  } else {
    void answer(request, response);
  }
}).listen(Number(values.port ?? port), values.host ?? hostname);
