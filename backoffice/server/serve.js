/**
 * Serves the built back office on one's own machine, as CloudFront serves it on AWS: the files in
 * `dist`, `/config.json`, and the API at the same origin under `/v1/`. It needs nothing but Node.
 *
 *     node server/serve.js --port 8080 [--host 127.0.0.1] [--files dist]
 *
 * The environment names the API, the issuer and the audience (see `serving.js`).
 */

import { readFileSync, readdirSync } from 'node:fs';
import { createServer, request as requestOverHttp } from 'node:http';
import { request as requestOverHttps } from 'node:https';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { configuration, securityHeaders, servingFromEnvironment } from './serving.js';

const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.woff2', 'font/woff2'],
]);

/** Headers that belong to one connection, and are not passed on. */
const OF_A_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * @typedef {object} File
 * @property {Buffer} body
 * @property {Record<string, string>} headers
 */

/**
 * Reads every file of a folder, by the path of its address. No other path can be asked for.
 *
 * @param {string} folder
 * @returns {Map<string, File>}
 */
function readFiles(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const address = path.slice(folder.length).split(sep).join('/');
    files.set(address, {
      body: readFileSync(path),
      headers: {
        'Content-Type': TYPES.get(extname(path)) ?? 'application/octet-stream',
        // The names of assets hold a hash of their content.
        'Cache-Control': address.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      },
    });
  }
  return files;
}

/**
 * Passes a request on to the API, and its answer back.
 *
 * @param {URL} api
 * @param {string} path With the query, as it was sent
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function passOn(api, path, request, response) {
  const headers = withoutConnection(request.headers);
  delete headers['host']; // It is the API's own.
  const send = api.protocol === 'https:' ? requestOverHttps : requestOverHttp;
  // A connection of its own for each request: one that is kept may be closed while a purchase is sent.
  const { hostname, port } = api;
  const onward = send({ hostname, port, path, method: request.method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, withoutConnection(answer.headers));
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onward.on('error', (error) => {
    console.error(`serve: ${request.method}: the API did not answer: ${error.message}`);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(502, { 'Content-Type': 'application/problem+json' });
    response.end(
      JSON.stringify({
        type: 'about:blank',
        title: 'The API did not answer',
        status: 502,
        detail: 'Try again in a moment. A request that changes something may have had its effect: repeat it with the same Idempotency-Key.',
      }),
    );
  });
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** @param {import('node:http').IncomingHttpHeaders} headers */
function withoutConnection(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_A_CONNECTION.has(name)));
}

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    files: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
  },
});
const serving = servingFromEnvironment(process.env);
const api = new URL(serving.apiUrl);
const files = readFiles(options.files);
files.set('/config.json', {
  body: Buffer.from(configuration(serving)),
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
});
const page = files.get('/index.html');
if (page === undefined) throw new Error(`There is no index.html in ${options.files}: build the back office first`);
const security = Object.entries(securityHeaders(serving.issuer));

const server = createServer((request, response) => {
  for (const [name, value] of security) response.setHeader(name, value);
  const address = request.url ?? '/';
  if (address.startsWith('/v1/')) {
    passOn(api, api.pathname + address.slice('/v1'.length), request, response);
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const path = address.split('?', 1)[0] ?? '/';
  // Every address of the application is its one page; what has a dot in its last part is a file.
  const isPage = !path.slice(path.lastIndexOf('/') + 1).includes('.');
  const file = isPage ? page : files.get(path);
  if (file === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('There is no such file.\n');
    return;
  }
  response.writeHead(200, { ...file.headers, 'Content-Length': file.body.length });
  response.end(request.method === 'HEAD' ? undefined : file.body);
});
server.listen(Number(options.port), options.host, () => {
  console.log(`serve: the back office is at http://${options.host}:${options.port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
