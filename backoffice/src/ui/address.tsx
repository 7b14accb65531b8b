import './details.css';

import type { Address } from '../api/types.ts';

/** A postal address, line by line. */
export function AddressLines({ address }: { readonly address: Address }) {
  const lines = [address.line1, address.line2, `${address.city}, ${address.state} ${address.postal_code}`, address.country];
  return (
    <address className="till-address">
      {lines
        .filter((line): line is string => line !== null && line !== '')
        .map((line) => (
          <span key={line}>{line}</span>
        ))}
    </address>
  );
}
