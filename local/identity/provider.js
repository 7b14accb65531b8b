/** An OpenID provider with the clients and accounts of a Till on one's own machine. */

import { randomBytes } from 'node:crypto';

import { Provider, errors } from 'oidc-provider';

import { CLIENT_ROLES, PASSWORD, findAccount } from './accounts.js';
import { errorPage, securityPolicy, signInPage, signOutPage, signedOutPage } from './pages.js';

/**
 * @typedef {import('oidc-provider').KoaContextWithOIDC} Context
 * @typedef {import('oidc-provider').ClientMetadata} ClientMetadata
 * @typedef {import('oidc-provider').JWK} JWK
 *
 * @typedef {object} Settings
 * @property {string} issuer
 * @property {string} audience what every access token is for: the API
 * @property {string | undefined} backofficeUrl where the back office is, if it is anywhere
 * @property {JWK} key the private key that signs every token
 */

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Long enough for a token in a shell's variable; a browser gets a new one without being asked. */
const TOOL_TOKEN_SECONDS = 12 * HOUR;
const BROWSER_TOKEN_SECONDS = 10 * MINUTE;
const SESSION_SECONDS = 12 * HOUR;

const BACK_OFFICE = 'till-backoffice';
const SIGN_IN = '/sign-in';
const LONGEST_FORM = 1000;

/** @param {Settings} settings */
export function makeProvider({ issuer, audience, backofficeUrl, key }) {
  const resourceServer = {
    // Who may do what follows from the roles alone; the API has no scopes.
    scope: '',
    audience,
    accessTokenFormat: /** @type {const} */ ('jwt'),
    jwt: { sign: { alg: /** @type {const} */ ('RS256') } },
  };
  // Cookies do not tell ports apart, and another checkout's provider may run on this host.
  const cookie = `till_${new URL(issuer).port}`;

  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: clients(backofficeUrl),
    findAccount: (_context, id) => claims(id),
    extraTokenClaims: (_context, token) => tokenClaims(token),
    scopes: ['openid', 'profile'],
    claims: { openid: ['sub', 'name', 'roles'], profile: ['name'] },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      // The back office revokes its refresh token when its user signs out.
      revocation: { enabled: true },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, identifier) => {
          if (identifier !== audience) throw new errors.InvalidTarget();
          return resourceServer;
        },
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          // The bearer of the ID token is the application that the person signed in to.
          context.body = signOutPage(form, context.oidc.entities.IdTokenHint !== undefined);
        },
        postLogoutSuccessSource: (context) => {
          context.body = signedOutPage();
        },
      },
    },
    clientBasedCORS: (_context, origin, client) => originsOf(client.redirectUris).has(origin),
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: {
        session: `${cookie}_session`,
        interaction: `${cookie}_interaction`,
        resume: `${cookie}_interaction_resume`,
      },
    },
    // Everything is agreed to: these are the house's own applications.
    loadExistingGrant,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: {
      AccessToken: (_context, _token, client) =>
        client.clientId === BACK_OFFICE ? BROWSER_TOKEN_SECONDS : TOOL_TOKEN_SECONDS,
      ClientCredentials: TOOL_TOKEN_SECONDS,
      AuthorizationCode: MINUTE,
      IdToken: BROWSER_TOKEN_SECONDS,
      Interaction: HOUR,
      Session: SESSION_SECONDS,
      Grant: SESSION_SECONDS,
      RefreshToken: SESSION_SECONDS,
    },
    interactions: { url: (_context, interaction) => `${SIGN_IN}/${interaction.uid}` },
    renderError: (context, facts) => {
      context.type = 'html';
      context.body = errorPage({ ...facts });
    },
  });

  provider.registerGrantType(
    'password',
    /** @param {import('oidc-provider').TokenEndpointGrantContext<PasswordParameters>} context */
    (context) => grantByPassword(provider, context, audience, resourceServer),
    ['username', 'password'],
  );
  const policy = securityPolicy(backofficeUrl ? new URL(backofficeUrl).origin : '');
  provider.use(async (context, next) => {
    await next();
    if (context.type === 'text/html') {
      context.set('Content-Security-Policy', policy);
      context.set('X-Content-Type-Options', 'nosniff');
      context.set('Referrer-Policy', 'no-referrer');
    }
  });
  provider.use((context, next) => signIn(provider, context, next));
  return provider;
}

/**
 * @param {string | undefined} backofficeUrl
 * @returns {ClientMetadata[]}
 */
function clients(backofficeUrl) {
  /** @type {ClientMetadata[]} */
  const all = [
    {
      client_id: 'till-cli',
      token_endpoint_auth_method: 'none',
      grant_types: ['password'],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: 'shop',
      client_secret: 'shop-dev-secret',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: 'probe',
      client_secret: 'probe-dev-secret',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
  ];
  if (backofficeUrl) {
    all.push({
      client_id: BACK_OFFICE,
      client_name: 'Till back office',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${backofficeUrl}/signed-in`],
      post_logout_redirect_uris: [`${backofficeUrl}/`],
    });
  }
  return all;
}

/** @param {string} id */
function claims(id) {
  const account = findAccount(id);
  return (
    account && {
      accountId: id,
      claims: () => ({ sub: id, name: account.name, roles: account.roles }),
    }
  );
}

/**
 * What the API decides by.
 *
 * @param {import('oidc-provider').AccessToken | import('oidc-provider').ClientCredentials} token
 */
function tokenClaims(token) {
  if (token.kind === 'ClientCredentials') return { roles: CLIENT_ROLES.get(token.clientId ?? '') };
  const account = findAccount(token.accountId);
  return { roles: account?.roles, customer_id: account?.customerId, name: account?.name };
}

/** @param {readonly string[]} [uris] */
function originsOf(uris = []) {
  return new Set(uris.map((uri) => new URL(uri).origin));
}

/** @param {Context} context */
async function loadExistingGrant({ oidc }) {
  const { provider, client, session } = oidc;
  if (!client || !session?.accountId) return undefined;
  const grantId = session.grantIdFor(client.clientId);
  const existing = grantId && (await provider.Grant.find(grantId));
  if (existing) return existing;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile');
  await grant.save();
  return grant;
}

/**
 * @typedef {{ username?: string, password?: string }} PasswordParameters
 */

/**
 * A token for a name and the password: for curl and tests, which have no browser. No real provider
 * should offer this (OAuth 2.1 has dropped it).
 *
 * @param {Provider} provider
 * @param {import('oidc-provider').TokenEndpointGrantContext<PasswordParameters>} context
 * @param {string} audience
 * @param {import('oidc-provider').ResourceServer} resourceServer
 */
async function grantByPassword(provider, context, audience, resourceServer) {
  const { client, params } = context.oidc;
  const account = findAccount(params.username);
  if (!account || params.password !== PASSWORD) {
    throw new errors.CustomOIDCProviderError(
      'invalid_grant',
      'there is no such account, or the password is wrong',
    );
  }
  const grant = new provider.Grant({ clientId: client.clientId, accountId: account.id });
  const token = new provider.AccessToken({
    accountId: account.id,
    client,
    grantId: await grant.save(),
    gty: 'password',
  });
  token.resourceServer = new provider.ResourceServer(audience, resourceServer);
  context.oidc.entity('AccessToken', token);
  context.body = {
    access_token: await token.save(),
    token_type: token.tokenType,
    expires_in: token.expiration,
  };
}

/**
 * Shows the sign-in page, and takes what was chosen on it.
 *
 * @param {Provider} provider
 * @param {import('koa').Context} context
 * @param {() => Promise<unknown>} next
 */
async function signIn(provider, context, next) {
  if (!context.path.startsWith(`${SIGN_IN}/`)) return next();
  context.set('Cache-Control', 'no-store');
  try {
    if (context.method === 'POST') {
      const result = chosen(await readForm(context.req));
      context.redirect(await provider.interactionResult(context.req, context.res, result));
      context.status = 303;
    } else {
      await provider.interactionDetails(context.req, context.res);
      context.type = 'html';
      context.body = signInPage(context.path);
    }
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    context.status = 400;
    context.type = 'html';
    context.body = errorPage({
      reason: 'this sign-in is over, or was begun in another browser',
      what_to_do: 'go back to the application and sign in again',
    });
  }
  return undefined;
}

/**
 * @param {URLSearchParams} form
 * @returns {import('oidc-provider').InteractionResults}
 */
function chosen(form) {
  const account = findAccount(form.get('account') ?? undefined);
  if (account) return { login: { accountId: account.id } };
  return { error: 'access_denied', error_description: 'the sign-in was cancelled' };
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<URLSearchParams>} empty if it is no form, or far too long for ours
 */
async function readForm(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > LONGEST_FORM) return new URLSearchParams();
  }
  return new URLSearchParams(text);
}
