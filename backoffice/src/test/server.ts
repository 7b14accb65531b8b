import { delay, http, HttpResponse, type RequestHandler } from 'msw';
import { setupServer } from 'msw/node';

import type { paths } from '../api/schema.d.ts';

/** The API that tests talk to. `server.use(on(...))` in a test. */
export const server = setupServer(
  // Every page counts the attempts that wait.
  on('get', '/purchase-attempts', () => ({ items: [], next_cursor: null })),
);

type Method = 'get' | 'post' | 'patch';
type PathOf<M extends Method> = { [P in keyof paths]: paths[P] extends { [K in M]: { responses: object } } ? P : never }[keyof paths];
type OperationOf<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? NonNullable<paths[P][M]> : never;
type JsonOf<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Responses<Operation> = Operation extends { responses: infer R } ? R : never;

/** What an operation answers with when all is well. */
export type SuccessOf<P extends keyof paths, M extends Method> = {
  [Status in keyof Responses<OperationOf<P, M>>]: Status extends 200 | 201 ? JsonOf<Responses<OperationOf<P, M>>[Status]> : never;
}[keyof Responses<OperationOf<P, M>>];

type BodyOf<Operation> = Operation extends { requestBody: infer B } ? JsonOf<NonNullable<B>> : undefined;

/** A request, as the test may look at it. */
export interface Asked<Body> {
  /** The parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Body;
  readonly idempotencyKey: string | null;
}

/** An answer that is not a success: `problem(...)`, `noAnswer()`. */
export interface Other {
  readonly other: Response;
}

/**
 * Answers an operation of the API, typed by its OpenAPI document:
 * `server.use(on('get', '/customers/{customer_id}', ({ params }) => aCustomer({ id: params['customer_id'] })))`.
 */
export function on<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  answer: (asked: Asked<BodyOf<OperationOf<P, M>>>) => SuccessOf<P, M> | Other | Promise<SuccessOf<P, M> | Other>,
): RequestHandler {
  const pattern = `*/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
  return http[method](pattern, async ({ params, request }) => {
    const text = await request.clone().text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const answered = await answer({
      params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(String(value))])),
      query: new URL(request.url).searchParams,
      headers: request.headers,
      body: body as BodyOf<OperationOf<P, M>>,
      idempotencyKey: request.headers.get('Idempotency-Key'),
    });
    if (isOther(answered)) return answered.other;
    return HttpResponse.json(answered as object, { status: method === 'post' ? 201 : 200 });
  });
}

function isOther(answered: unknown): answered is Other {
  return typeof answered === 'object' && answered !== null && 'other' in answered && answered.other instanceof Response;
}

/** A problem document: `problem(409, 'insufficient-credit', 'Not enough credit', '...', { available: 2500 })`. */
export function problem(
  status: number,
  slug: string,
  title: string,
  detail: string,
  extras: Readonly<Record<string, unknown>> = {},
): Other {
  const document = { type: `urn:problem-type:till:${slug}`, title, status, detail, correlation_id: `correlation-of-${slug}`, ...extras };
  return { other: HttpResponse.json(document, { status, headers: { 'Content-Type': 'application/problem+json' } }) };
}

/** The answer to an earlier request with the same Idempotency-Key. */
export function replayed(answer: object): Other {
  return { other: HttpResponse.json(answer, { status: 201, headers: { 'Idempotency-Replayed': 'true' } }) };
}

/** The connection breaks: what happened is unknown. */
export function noAnswer(): Other {
  return { other: HttpResponse.error() };
}

/** Never answers within a test: for loading states. */
export async function stillLoading(): Promise<Other> {
  await delay('infinite');
  return noAnswer();
}
