/**
 * Who can sign in on one's own machine: one person for each role of a person.
 *
 * @typedef {object} Account
 * @property {string} id the subject of this person's tokens, and the name to sign in with
 * @property {string} name
 * @property {string} does what this person does, for the sign-in page
 * @property {string[]} roles
 * @property {string} [customerId] which customer this person is
 */

/** @type {readonly Account[]} */
export const ACCOUNTS = [
  { id: 'rita', name: 'Rita Sorensen', does: 'customer service', roles: ['support'] },
  { id: 'amir', name: 'Amir Haddad', does: 'administration', roles: ['admin'] },
  {
    id: 'chiara',
    name: 'Chiara Lindqvist',
    does: 'a customer',
    roles: ['customer'],
    // One of local/demo_data.py, so that she has credit.
    customerId: 'c0000000-0000-4000-8000-000000000003',
  },
];

/** The password of everybody, for the tools that cannot show a sign-in page. */
export const PASSWORD = 'dev';

/** The roles of each client that acts for itself, by its id. */
export const CLIENT_ROLES = new Map([
  ['shop', ['service']],
  ['probe', ['service']],
]);

/**
 * @param {string | undefined} id
 * @returns {Account | undefined}
 */
export function findAccount(id) {
  return ACCOUNTS.find((account) => account.id === id);
}
