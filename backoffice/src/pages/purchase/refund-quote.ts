import { useQuery } from '@tanstack/react-query';

import { unwrap, useApi } from '../../api/client.ts';
import { keys } from '../../api/queries.ts';
import type { CreateRefundQuoteRequest } from '../../api/types.ts';

/**
 * What a refund would come to. Asked again for each opening of the dialog, because the purchase may have changed meanwhile;
 * a wish that is not asked for any more is cancelled, so the latest wins.
 */
export function useRefundQuote(purchaseId: string, opening: number, wish: CreateRefundQuoteRequest | undefined) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.refundQuotes(purchaseId), opening, wish],
    queryFn: ({ signal }) =>
      unwrap(
        api.POST('/purchases/{purchase_id}/refund-quotes', {
          params: { path: { purchase_id: purchaseId } },
          body: wish ?? {},
          signal,
        }),
      ),
    enabled: wish !== undefined,
    staleTime: 0,
    gcTime: 0,
  });
}
