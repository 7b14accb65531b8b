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
  /** A try of it had no answer: it may have had its effect. */
  unsettled: boolean;
}

/**
 * The idempotency key of each intent: of what somebody means to do, to what, with what payload.
 *
 * It outlives the dialog that asked for it. Somebody whose answer was lost, who closes the dialog and fills in
 * the same again, sends the same key, and the money moves once.
 */
export class Intents {
  readonly #intents = new Map<string, Map<string, Intent>>();

  /** The key to send this payload with; the same one until the intent is done. */
  keyOf(scope: string, payload: string): string {
    const intents = this.#intents.get(scope) ?? new Map<string, Intent>();
    this.#intents.set(scope, intents);
    const intent = intents.get(payload) ?? { key: newKey(), unsettled: false };
    intents.set(payload, intent);
    return intent.key;
  }

  /** Nobody knows whether this had its effect. */
  markUnsettled(scope: string, payload: string): void {
    const intent = this.#intents.get(scope)?.get(payload);
    if (intent !== undefined) intent.unsettled = true;
  }

  /** The server refused this for good, so nothing of it has happened. Its key stays, for it may be tried again. */
  markRefused(scope: string, payload: string): void {
    const intent = this.#intents.get(scope)?.get(payload);
    if (intent !== undefined) intent.unsettled = false;
  }

  /** This is done; the same payload is a new intent from now on. */
  forget(scope: string, payload: string): void {
    this.#intents.get(scope)?.delete(payload);
  }

  /** Something other than this payload may have had its effect in this scope. */
  hasOtherUnsettled(scope: string, payload: string | undefined): boolean {
    return [...(this.#intents.get(scope) ?? [])].some(([other, intent]) => intent.unsettled && other !== payload);
  }
}

const byClient = new WeakMap<QueryClient, Intents>();

/** The intents of this application: they live as long as its query client. */
export function intentsOf(client: QueryClient): Intents {
  const intents = byClient.get(client) ?? new Intents();
  byClient.set(client, intents);
  return intents;
}
