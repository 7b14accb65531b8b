import type { QueryClient } from '@tanstack/react-query';

/** A value as text that is the same for the same content, in whatever order its members were written. */
export function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** 128 random bits. Not randomUUID: that one is missing where a page is served without TLS from another host. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `backoffice-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

interface Intent {
  readonly key: string;
  /** A try of it had no answer yet: it may have had its effect. */
  unsettled: boolean;
}

const STORED = 'till.unsettled';

/**
 * The idempotency key of each intent: of what a person means to do, to what, with what payload.
 *
 * It outlives the dialog that asked for it: the same payload, filled in again after a lost answer, has the same key,
 * and the money moves once. Unsettled intents outlive the page, too, in the browser's storage: each is one item, so
 * that two tabs do not overwrite each other's. `owner` is the user they belong to; without one, nothing is stored.
 */
export class Intents {
  readonly #intents = new Map<string, Map<string, Intent>>();
  readonly #prefix: string | undefined;

  constructor(owner?: string) {
    this.#prefix = owner === undefined ? undefined : `${STORED}:${owner}:`;
    for (const { scope, payload, key } of this.#stored()) this.#of(scope).set(payload, { key, unsettled: true });
  }

  /** The key to send this payload with; the same one until the intent is done. */
  keyOf(scope: string, payload: string): string {
    const intents = this.#of(scope);
    const intent = intents.get(payload) ?? { key: newKey(), unsettled: false };
    intents.set(payload, intent);
    return intent.key;
  }

  /** Whether a try of it had no answer. */
  isUnsettled(scope: string, payload: string): boolean {
    return this.#intents.get(scope)?.get(payload)?.unsettled ?? false;
  }

  /** It is being sent, or had no answer: it may have had its effect. */
  markUnsettled(scope: string, payload: string): void {
    const key = this.keyOf(scope, payload);
    this.#of(scope).set(payload, { key, unsettled: true });
    this.#store(key, JSON.stringify({ scope, payload }));
  }

  /** It has had no effect. Its key stays, because it may be tried again. */
  markSettled(scope: string, payload: string): void {
    const intent = this.#intents.get(scope)?.get(payload);
    if (intent === undefined) return;
    intent.unsettled = false;
    this.#store(intent.key, null);
  }

  /** It is done; the same payload is a new intent from now on. */
  forget(scope: string, payload: string): void {
    this.markSettled(scope, payload);
    this.#intents.get(scope)?.delete(payload);
  }

  /** An unsettled payload of this scope other than this one, which would come on top of it. */
  otherUnsettled(scope: string, payload: string | undefined): string | undefined {
    for (const [other, intent] of this.#intents.get(scope) ?? []) if (intent.unsettled && other !== payload) return other;
    return undefined;
  }

  #of(scope: string): Map<string, Intent> {
    const intents = this.#intents.get(scope) ?? new Map<string, Intent>();
    this.#intents.set(scope, intents);
    return intents;
  }

  #store(key: string, text: string | null): void {
    if (this.#prefix === undefined) return;
    if (text === null) localStorage.removeItem(this.#prefix + key);
    else localStorage.setItem(this.#prefix + key, text);
  }

  #stored(): { readonly scope: string; readonly payload: string; readonly key: string }[] {
    const prefix = this.#prefix;
    if (prefix === undefined) return [];
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => {
        const item = storedIntent(localStorage.getItem(name));
        return item === undefined ? [] : [{ ...item, key: name.slice(prefix.length) }];
      });
  }
}

function storedIntent(text: string | null): { readonly scope: string; readonly payload: string } | undefined {
  try {
    const found: unknown = JSON.parse(text ?? '');
    if (typeof found !== 'object' || found === null || !('scope' in found) || !('payload' in found)) return undefined;
    const { scope, payload } = found;
    return typeof scope === 'string' && typeof payload === 'string' ? { scope, payload } : undefined;
  } catch {
    // Something else wrote under this name.
    return undefined;
  }
}

const byClient = new WeakMap<QueryClient, Map<string | undefined, Intents>>();

/** The intents of a user of this application. */
export function intentsOf(client: QueryClient, owner?: string): Intents {
  const byOwner = byClient.get(client) ?? new Map<string | undefined, Intents>();
  byClient.set(client, byOwner);
  const intents = byOwner.get(owner) ?? new Intents(owner);
  byOwner.set(owner, intents);
  return intents;
}
