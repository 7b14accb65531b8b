/** The few pages of the provider: small, readable without a script, and nothing from elsewhere. */

import { createHash } from 'node:crypto';

import { ACCOUNTS } from './accounts.js';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 26rem; margin: 12vh auto 0; padding: 0 1.5rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 1rem; }
.note { border-left: 0.25rem solid #b45309; padding-left: 0.75rem; margin: 0 0 1.5rem; }
ul { list-style: none; margin: 0 0 1.5rem; padding: 0; display: grid; gap: 0.75rem; }
button { font: inherit; cursor: pointer; border-radius: 0.5rem; padding: 0.75rem 1rem;
  border: 1px solid GrayText; background: Canvas; color: CanvasText; }
li button { width: 100%; display: flex; justify-content: space-between; gap: 1rem; }
li strong { font-weight: 600; }
button:hover { border-color: CanvasText; }
:focus-visible { outline: 3px solid #2563eb; outline-offset: 2px; }
pre { white-space: pre-wrap; }
`;

const SUBMIT = "document.getElementById('sign-out').submit();";

/** The script of the library's own page, which signs out one person before another signs in. */
const LIBRARY_SUBMIT = `
    document.addEventListener('DOMContentLoaded', function () { document.forms[0].submit() });
  `;

/** @param {string} text */
function hash(text) {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** @param {string} text */
export function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * The security policy of every page. A form leads on to the application that asked for it, and
 * browsers want that allowed, too.
 *
 * @param {string} application the origin of the application, if there is one
 */
export function securityPolicy(application) {
  return [
    "default-src 'none'",
    'img-src data:',
    `style-src ${hash(STYLE)}`,
    `script-src ${hash(SUBMIT)} ${hash(LIBRARY_SUBMIT)}`,
    `form-action 'self' ${application}`.trim(),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/**
 * @param {string} title
 * @param {string} content
 */
function page(title, content) {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${content}
</main>
</body>
</html>
`;
}

/**
 * @param {string} action where the choice is sent to
 */
export function signInPage(action) {
  const buttons = ACCOUNTS.map(
    ({ id, name, does }) =>
      `<li><button name="account" value="${escape(id)}">` +
      `<strong>${escape(name)}</strong> <span>${escape(does)}</span></button></li>`,
  );
  return page(
    'Sign in to Till',
    `<p class="note">For development only: this sign-in asks for no password.</p>
<form method="post" action="${escape(action)}">
<ul>
${buttons.join('\n')}
</ul>
<button name="cancel" value="yes">Cancel</button>
</form>`,
  );
}

/**
 * Signs out at once where that is certain to be the person's own wish, and else asks.
 *
 * @param {string} form the library's form, whose id is op.logoutForm
 * @param {boolean} certain
 */
export function signOutPage(form, certain) {
  const hidden = form
    .replaceAll('op.logoutForm', 'sign-out')
    .replace('</form>', '<input type="hidden" name="logout" value="yes"/></form>');
  return page(
    certain ? 'Signing out' : 'Sign out of Till?',
    `${hidden}
<button form="sign-out">Sign out</button>
${certain ? `<script>${SUBMIT}</script>` : ''}`,
  );
}

export function signedOutPage() {
  return page('You are signed out', '<p>This page can be closed.</p>');
}

/** @param {Record<string, unknown>} facts */
export function errorPage(facts) {
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${String(value)}`);
  return page('This did not work', `<pre>${escape(lines.join('\n'))}</pre>`);
}
