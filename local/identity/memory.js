/**
 * What the provider has to remember: sessions, sign-ins under way, grants, codes, refresh tokens.
 * All of it ends with the process.
 *
 * @typedef {import('oidc-provider').Adapter} Adapter
 * @typedef {import('oidc-provider').AdapterPayload} Payload
 * @typedef {{ payload: Payload, expiresAt: number }} Entry
 */

/**
 * One model's memory. Everything in it is looked for by going through it: there is little.
 *
 * @returns {Adapter}
 */
export function memory() {
  /** @type {Map<string, Entry>} */
  const entries = new Map();

  /** @param {(payload: Payload) => boolean} wanted */
  function findWhere(wanted) {
    for (const { payload, expiresAt } of entries.values()) {
      if (expiresAt > Date.now() && wanted(payload)) return payload;
    }
    return undefined;
  }

  function forgetExpired() {
    for (const [id, { expiresAt }] of entries) {
      if (expiresAt <= Date.now()) entries.delete(id);
    }
  }

  return {
    async upsert(id, payload, expiresInSeconds) {
      forgetExpired();
      const expiresAt = expiresInSeconds ? Date.now() + expiresInSeconds * 1000 : Infinity;
      entries.set(id, { payload, expiresAt });
    },
    async find(id) {
      const entry = entries.get(id);
      return entry && entry.expiresAt > Date.now() ? entry.payload : undefined;
    },
    async findByUid(uid) {
      return findWhere((payload) => payload.uid === uid);
    },
    async findByUserCode(userCode) {
      return findWhere((payload) => payload.userCode === userCode);
    },
    async consume(id) {
      const entry = entries.get(id);
      if (entry) entry.payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      entries.delete(id);
    },
    async revokeByGrantId(grantId) {
      for (const [id, { payload }] of entries) {
        if (payload.grantId === grantId) entries.delete(id);
      }
    },
  };
}
