import { withLocalMoney } from '../format/money.ts';

/** One field of a request, and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

interface ProblemParts {
  readonly type: string;
  readonly title: string;
  /** 0: there was no answer that could be read. */
  readonly status: number;
  readonly detail: string;
  readonly correlationId?: string | undefined;
  readonly errors?: readonly FieldError[];
  readonly extras?: Readonly<Record<string, unknown>>;
}

const OURS = 'urn:problem-type:till:';
const STANDARD = new Set(['type', 'title', 'status', 'detail', 'correlation_id', 'errors', 'instance']);

/** What the API answered instead of what was asked for, or that it did not answer: one shape for all of it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly type: string;
  readonly title: string;
  /** The HTTP status; 0 when there was no answer that could be read. */
  readonly status: number;
  readonly detail: string;
  /** Names the request in the log of the API. */
  readonly correlationId: string | undefined;
  readonly errors: readonly FieldError[];
  /** The members of the document that belong to its type, like `available` or `limit`. */
  readonly extras: Readonly<Record<string, unknown>>;

  constructor(parts: ProblemParts, options?: ErrorOptions) {
    super(`${parts.title}: ${parts.detail}`, options);
    this.type = parts.type;
    this.title = parts.title;
    this.status = parts.status;
    this.detail = parts.detail;
    this.correlationId = parts.correlationId;
    this.errors = parts.errors ?? [];
    this.extras = parts.extras ?? {};
  }

  /** The last word of the type, `insufficient-credit`; the whole type where it is not one of ours. */
  get slug(): string {
    return this.type.startsWith(OURS) ? this.type.slice(OURS.length) : this.type;
  }

  /** The server may have done what was asked, or may not have. */
  get isUncertain(): boolean {
    return this.status === 0 || this.status === 408 || this.status >= 500;
  }

  /** Says what was decided about the request itself, rather than about who sent it and how often. */
  get isFinal(): boolean {
    return !this.isUncertain && this.status !== 401 && this.status !== 403 && this.status !== 429;
  }

  /** What is wrong with this field of the request. */
  errorOf(field: string): string | undefined {
    return this.errors.find((error) => error.field === field)?.message;
  }

  /** A whole number among the extras: `available`, `refundable`, `limit`. */
  numberOf(name: string): number | undefined {
    const value = this.extras[name];
    return typeof value === 'number' ? value : undefined;
  }

  /** A text among the extras: `currency`, `state`. */
  textOf(name: string): string | undefined {
    const value = this.extras[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The problem that an answer tells of, whatever its body is. */
  static ofAnswer(status: number, body: unknown, headers?: Headers): Problem {
    const document = new Map<string, unknown>(typeof body === 'object' && body !== null ? Object.entries(body) : []);
    const text = (name: string): string | undefined => {
      const value = document.get(name);
      return typeof value === 'string' && value !== '' ? value : undefined;
    };
    const known = text('title') !== undefined && text('type') !== undefined;
    return new Problem({
      type: text('type') ?? 'about:blank',
      title: text('title') ?? titleOf(status),
      status,
      detail: withLocalMoney(text('detail') ?? (known ? '' : `The answer was ${status} and says nothing more.`)),
      correlationId: text('correlation_id') ?? headers?.get('x-correlation-id') ?? undefined,
      errors: fieldErrors(document.get('errors')),
      extras: Object.fromEntries([...document].filter(([name]) => !STANDARD.has(name))),
    });
  }

  /** There was no answer: no network, a broken connection, or too long a wait. */
  static noAnswer(cause: unknown): Problem {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    return new Problem(
      {
        type: `${OURS}no-answer`,
        title: late ? 'No answer in time' : 'No answer',
        status: 0,
        detail: late
          ? 'The server did not answer in time.'
          : 'The server could not be reached, or the connection broke before it answered.',
      },
      { cause },
    );
  }

  /** There was an answer that is not what the API answers with. */
  static unreadable(cause: unknown): Problem {
    return new Problem(
      { type: `${OURS}unreadable-answer`, title: 'Unreadable answer', status: 0, detail: 'The answer is not one of this API.' },
      { cause },
    );
  }

  /** Anything thrown, as a problem. */
  static of(error: unknown): Problem {
    if (error instanceof Problem) return error;
    return new Problem(
      {
        type: 'about:blank',
        title: 'Something went wrong in this application',
        status: 0,
        detail: error instanceof Error ? error.message : String(error),
      },
      { cause: error },
    );
  }
}

function titleOf(status: number): string {
  if (status === 401) return 'Not signed in';
  if (status === 403) return 'Not allowed';
  if (status === 404) return 'Not found';
  if (status === 429) return 'Too many requests';
  return status >= 500 ? 'The server failed' : 'The request was refused';
}

function fieldErrors(value: unknown): readonly FieldError[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(
      (one: unknown): one is FieldError =>
        typeof one === 'object' &&
        one !== null &&
        'field' in one &&
        typeof one.field === 'string' &&
        'message' in one &&
        typeof one.message === 'string',
    )
    .map(({ field, message }) => ({ field, message: withLocalMoney(message) }));
}
