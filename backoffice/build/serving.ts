import type { Connect, Plugin, ProxyOptions } from 'vite';

import { configuration, type Serving } from '../server/serving.js';

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

/** Serves `/config.json` during development. `server/serve.js` serves what is built. */
export function serving(read: () => Serving): Plugin {
  const serveConfiguration = (body: string): Connect.NextHandleFunction => {
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
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use(serveConfiguration(configuration(read())));
    },
  };
}
