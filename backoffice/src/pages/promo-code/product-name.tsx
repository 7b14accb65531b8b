import { useQuery } from '@tanstack/react-query';

import { unwrap, useApi } from '../../api/client.ts';
import { keys } from '../../api/queries.ts';

/** A product by name; by id until it is known, and where it cannot be had. */
export function ProductName({ productId }: { readonly productId: string }) {
  const api = useApi();
  const product = useQuery({
    queryKey: keys.product(productId),
    queryFn: ({ signal }) => unwrap(api.GET('/products/{product_id}', { params: { path: { product_id: productId } }, signal })),
  });
  return product.data === undefined ? (
    <code className="till-break">{productId}</code>
  ) : (
    <>
      {product.data.name} <code>{product.data.sku}</code>
    </>
  );
}
