import createClient, { type Client } from 'openapi-fetch';
import { createContext, useContext } from 'react';

import { Problem } from './problem.ts';
import type { paths } from './schema.d.ts';

/** The API, typed by its OpenAPI document. Problems are thrown by `unwrap`. */
export type Api = Client<paths>;

/** Where tokens come from. */
export interface Access {
  readonly accessToken: () => string | undefined;
  /** Undefined if there is no newer one; rejects if none could be asked for. */
  readonly renew: (refused: string | undefined) => Promise<string | undefined>;
}

/** API Gateway gives up after 29 seconds; whatever has not answered by now will not. */
const PATIENCE_MS = 35_000;

/** A client of the API at `<origin>/v1`. */
export function makeApi(origin: string, access: Access): Api {
  const send = async (request: Request, token: string | undefined): Promise<Response> => {
    if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      return await fetch(request, { signal });
    } catch (error) {
      // The request was cancelled, which is no problem.
      if (request.signal.aborted) throw error;
      throw Problem.noAnswer(error);
    }
  };
  return createClient<paths>({
    baseUrl: `${origin}/v1`,
    headers: { Accept: 'application/json, application/problem+json' },
    cache: 'no-store',
    fetch: async (request) => {
      // A refused token means that the request was not looked at, so sending it once more with another is safe.
      const again = request.clone();
      const token = access.accessToken();
      const response = await send(request, token);
      if (response.status !== 401) return response;
      const renewed = await access.renew(token).catch((error: unknown) => {
        throw Problem.noAnswer(error);
      });
      return renewed === undefined ? response : send(again, renewed);
    },
  });
}

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** What was asked for; throws a Problem. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  let settled: Answer<T>;
  try {
    settled = await answer;
  } catch (error) {
    // A body that promised JSON and is not.
    if (error instanceof SyntaxError) throw Problem.unreadable(error);
    // A connection that broke, or became too slow, in the middle of the body.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) {
      throw Problem.noAnswer(error);
    }
    throw error;
  }
  const { data, error, response } = settled;
  if (!response.ok) throw Problem.ofAnswer(response.status, error, response.headers);
  if (data === undefined) throw Problem.unreadable(`${response.status} without a body`);
  return data;
}

/** What a request with an Idempotency-Key led to. */
export interface Done<T> {
  readonly result: T;
  /** An earlier request with the same key did it; this one did nothing, and has its answer. */
  readonly replayed: boolean;
}

/** What was done, by this request or by an earlier one with its Idempotency-Key; throws a Problem. */
export async function unwrapDone<T>(answer: Promise<Answer<T>>): Promise<Done<T>> {
  const result = await unwrap(answer);
  const { response } = await answer;
  return { result, replayed: response.headers.get('Idempotency-Replayed') === 'true' };
}

/** The If-Match header that a change of this version has to carry: the ETag of its `version`. */
export function ifMatch(version: number): string {
  return `"${version}"`;
}

export const ApiContext = createContext<Api | null>(null);

/** The client of the API. */
export function useApi(): Api {
  const api = useContext(ApiContext);
  if (api === null) {
    throw new Error('useApi needs an ApiContext above it');
  }
  return api;
}
