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

/** What was sent and has no answer yet: it may have had its effect. */
export interface Unsettled {
  /** What is acted on and how, like `refund:<purchase id>`. */
  readonly scope: string;
  /** The fingerprint of what was sent. */
  readonly payload: string;
  readonly key: string;
  /** When it was first sent; undefined where an older version of this application stored it. */
  readonly at?: string | undefined;
}

interface Begun extends Unsettled {
  /** It was sent before, and there was no answer. */
  readonly wasUnsettled: boolean;
}

const STORED = 'till.unsettled';

/**
 * The idempotency key of each intent: of what a person means to do, to what, with what payload.
 *
 * It outlives the dialog that asked for it: the same payload, filled in again after a lost answer, has the same key,
 * and the money moves once. Unsettled intents are kept in the browser's storage, which is read at each question: what
 * one tab sends or settles, the others know. Each is one item, so that two tabs do not overwrite each other's. `owner`
 * is the user they belong to; without one, nothing is stored.
 */
export class Intents {
  /** Keys of what was sent and has had no effect: it has the same key when it is tried again. */
  readonly #settled = new Map<string, string>();
  /** Unsettled intents that could not be stored. Only this page knows them. */
  readonly #unstored = new Map<string, Unsettled>();
  readonly #prefix: string | undefined;

  constructor(owner?: string) {
    this.#prefix = owner === undefined ? undefined : `${STORED}:${owner}:`;
  }

  /**
   * It is about to be sent: gives the key to send it with, and keeps it as unsettled. `earlier` is the try that it
   * repeats, as the rep was told of it, even if another tab has settled that one meanwhile.
   */
  begin(scope: string, payload: string, earlier: Unsettled | undefined = this.unsettled(scope, payload)): Begun {
    const intent = intentOf(scope, payload);
    const key = earlier?.key ?? this.#settled.get(intent) ?? newKey();
    const at = earlier === undefined ? new Date().toISOString() : earlier.at;
    this.#settled.delete(intent);
    this.keep({ scope, payload, key, at });
    return { scope, payload, key, at, wasUnsettled: earlier !== undefined };
  }

  /** It has had no effect. Its key stays, because it may be tried again. */
  settle({ scope, payload, key }: Unsettled): void {
    this.#settled.set(intentOf(scope, payload), key);
    this.#remove(key);
  }

  /** It is done; the same payload is a new intent from now on. */
  forget({ key }: Unsettled): void {
    this.#remove(key);
  }

  /** The earlier try of this payload. */
  unsettled(scope: string, payload: string): Unsettled | undefined {
    return this.#all().find((one) => one.scope === scope && one.payload === payload);
  }

  /** An unsettled payload of this scope other than this one, which would come on top of it. */
  otherUnsettled(scope: string, payload: string | undefined): Unsettled | undefined {
    return this.#all().find((one) => one.scope === scope && one.payload !== payload);
  }

  #all(): readonly Unsettled[] {
    return [...this.#unstored.values(), ...this.#stored()];
  }

  /** It had no answer. Another tab that sent it, too, and was refused, may have settled it meanwhile. */
  keep(intent: Unsettled): void {
    const { key, scope, payload, at } = intent;
    if (this.#prefix === undefined) {
      this.#unstored.set(key, intent);
      return;
    }
    try {
      localStorage.setItem(this.#prefix + key, JSON.stringify({ scope, payload, at }));
    } catch (error) {
      // The storage is full or switched off. The request still has to be made, and its key kept while this page is there.
      console.info('What is under way is not remembered after a reload.', error);
      this.#unstored.set(key, intent);
    }
  }

  #remove(key: string): void {
    this.#unstored.delete(key);
    if (this.#prefix === undefined) return;
    try {
      localStorage.removeItem(this.#prefix + key);
    } catch {
      // It cannot be used, so nothing is in it.
    }
  }

  #stored(): readonly Unsettled[] {
    const prefix = this.#prefix;
    if (prefix === undefined) return [];
    try {
      return Object.keys(localStorage)
        .filter((name) => name.startsWith(prefix))
        .flatMap((name) => storedIntent(name.slice(prefix.length), localStorage.getItem(name)) ?? []);
    } catch {
      // It cannot be used, so nothing is in it.
      return [];
    }
  }
}

/** Names an intent among others. */
export const intentOf = (scope: string, payload: string): string => `${scope} ${payload}`;

function storedIntent(key: string, text: string | null): Unsettled | undefined {
  try {
    const found: unknown = JSON.parse(text ?? '');
    if (typeof found !== 'object' || found === null || !('scope' in found) || !('payload' in found)) return undefined;
    const { scope, payload } = found;
    if (typeof scope !== 'string' || typeof payload !== 'string') return undefined;
    return { scope, payload, key, at: 'at' in found && typeof found.at === 'string' ? found.at : undefined };
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
