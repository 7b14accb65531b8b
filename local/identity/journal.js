/**
 * Tells what the provider did, a line for each: who signed in, which client got a token, what was
 * refused and why. Never a token, a code or a key.
 *
 * @typedef {import('oidc-provider').KoaContextWithOIDC} Context
 */

/**
 * @param {import('oidc-provider').Provider} provider
 * @param {(line: string) => void} write
 */
export function reportTo(provider, write) {
  /**
   * @param {string} event
   * @param {Context | undefined} context
   * @param {Error} [error]
   */
  function report(event, context, error) {
    const { client, params, entities } = context?.oidc ?? {};
    const facts = {
      client: client?.clientId,
      grant: params?.grant_type,
      account: entities?.AccessToken?.accountId ?? entities?.Account?.accountId,
      refused: error && reasonOf(error),
    };
    const told = Object.entries(facts).filter(([, fact]) => fact !== undefined);
    const text = told.map(([name, fact]) => `${name}=${JSON.stringify(fact)}`).join(' ');
    write(`${new Date().toISOString()} ${event} ${text}`);
  }

  provider.on('authorization.success', (context) => report('signed in', context));
  provider.on('authorization.error', (context, error) => report('sign-in', context, error));
  provider.on('grant.success', (context) => report('token', context));
  provider.on('grant.error', (context, error) => report('token', context, error));
  provider.on('end_session.success', (context) => report('signed out', context));
  provider.on('end_session.error', (context, error) => report('sign-out', context, error));
  provider.on('server_error', (context, error) => {
    report('failed', context, error);
    write(error.stack ?? String(error));
  });
}

/** @param {Error & { error_description?: string, error_detail?: string }} error */
function reasonOf(error) {
  return [error.message, error.error_description, error.error_detail]
    .filter((part) => part !== undefined)
    .join(': ');
}
