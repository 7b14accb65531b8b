import { formatMoney } from '../format/money.ts';
import type { Problem } from './problem.ts';

const SERVER_FAILED = 'The server had an error. Try again in a moment.';

/** Texts for reps, by the problem type: the API's own text for these is written for programmers who call it. */
const TEXTS: Readonly<Record<string, string | ((problem: Problem) => string)>> = {
  'not-authenticated': 'Your sign-in is not accepted any more. Sign in again.',
  'identity-unavailable': 'Your sign-in cannot be checked at the moment. Try again in a moment.',
  'not-allowed': 'Your role does not allow this. Ask an administrator.',
  'too-many-requests': 'Wait a moment, then try again.',
  refused: 'The server did not accept the request. If it happens again, tell the people who run Till.',
  'route-not-found': 'The application may have been updated. Load the page again.',
  'stale-version': 'Load the newest version, and make your change again.',
  'precondition-required': 'Load the newest version, and make your change again.',
  'refund-amount-changed': (problem) => {
    const amount = problem.numberOf('amount');
    const currency = problem.textOf('currency');
    const now = amount === undefined || currency === undefined ? 'The refund has another amount now.' : `The refund is ${formatMoney(amount, currency)} now.`;
    return `${now} Check the new amount, then confirm again.`;
  },
  'internal-error': SERVER_FAILED,
  'no-answer-in-time': 'The server did not answer in time. Try again in a moment.',
  busy: 'The server is busy. Try again in a moment.',
};

/**
 * What a problem means for a rep, and what they can do: a text of the table, or the API's own.
 *
 * A text of the table says that nothing was changed only about a `change`, and only where that is certain.
 */
export function problemText(problem: Problem, about: 'read' | 'change' = 'read'): string {
  const text = Object.hasOwn(TEXTS, problem.slug) ? TEXTS[problem.slug] : undefined;
  if (text === undefined) return problem.detail;
  const said = typeof text === 'string' ? text : text(problem);
  return about === 'change' && !problem.isUncertain ? `${said} Nothing was changed.` : said;
}
