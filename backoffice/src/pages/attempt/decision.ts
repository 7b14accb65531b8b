import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import type { Problem } from '../../api/problem.ts';
import { keys } from '../../api/queries.ts';
import type { Attempt } from '../../api/types.ts';
import { LONGEST_REASON } from '../../limits.ts';

/** What is wrong with a reason, without the spaces around it. */
export function reasonError(reason: string): string | undefined {
  if (reason === '') return 'Enter a reason: what was found out, and how.';
  return reason.length > LONGEST_REASON ? `The reason is longer than ${LONGEST_REASON} characters.` : undefined;
}

/** What an attempt's dialogs say when an earlier try with other values got no answer: each attempt is decided once. */
export const DECIDED_ONCE = 'It can be done only once: if that try worked, this one will be refused.';

/** Shows a decided attempt as it was answered, before its next read: what can no longer be done is gone immediately. */
export function useShowDecided(): (decided: Attempt) => void {
  const client = useQueryClient();
  return (decided) => client.setQueryData(keys.attempt(decided.id), decided);
}

/** Reads the attempts and the customer again after a final refusal: it was decided on newer data than what is shown. */
export function useReadAgainWhenRefused(problem: Problem | null, customerId: string): void {
  const client = useQueryClient();
  useEffect(() => {
    if (problem?.isFinal !== true) return;
    void client.invalidateQueries({ queryKey: keys.attempts });
    void client.invalidateQueries({ queryKey: keys.customer(customerId) });
  }, [problem, client, customerId]);
}
