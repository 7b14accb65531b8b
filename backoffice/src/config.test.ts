import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { loadConfig, parseConfig } from './config.ts';
import { server } from './test/server.ts';

const DOCUMENT = { issuer: 'http://127.0.0.1:9100', client_id: 'till-backoffice', resource: 'https://till.example/api', roles_claim: 'roles' };

describe('the configuration', () => {
  it('is read', () => {
    expect(parseConfig(DOCUMENT)).toEqual({
      issuer: 'http://127.0.0.1:9100',
      clientId: 'till-backoffice',
      resource: 'https://till.example/api',
      rolesClaim: 'roles',
      scope: 'openid profile offline_access',
    });
    expect(parseConfig({ ...DOCUMENT, scope: 'openid' }).scope).toBe('openid');
  });

  it.each([
    [null, 'not an object'],
    [{ ...DOCUMENT, issuer: undefined }, '"issuer"'],
    [{ ...DOCUMENT, issuer: 'javascript:alert(1)' }, 'web address'],
    [{ ...DOCUMENT, client_id: '' }, '"client_id"'],
    [{ ...DOCUMENT, roles_claim: 1 }, '"roles_claim"'],
  ])('%o is refused', (document, message) => {
    expect(() => parseConfig(document)).toThrow(message);
  });

  it.each([
    ['could not be reached', () => HttpResponse.error()],
    ['answered with 500', () => HttpResponse.text('no', { status: 500 })],
    ['not JSON', () => HttpResponse.html('<!doctype html>')],
  ])('%s: said so', async (message, answer) => {
    server.use(http.get('*/config.json', answer));
    await expect(loadConfig()).rejects.toThrow(message);
  });
});
