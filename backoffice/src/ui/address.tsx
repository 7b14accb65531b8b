import './details.css';

import type { Address } from '../api/types.ts';

/** A country in words; the code where it is none that the browser knows. */
function countryName(code: string): string {
  try {
    return new Intl.DisplayNames(undefined, { type: 'region' }).of(code) ?? code;
  } catch (error) {
    if (error instanceof RangeError) return code;
    throw error;
  }
}

/** A postal address, line by line. */
export function AddressLines({ address }: { readonly address: Address }) {
  const lines = [address.line1, address.line2, `${address.city}, ${address.state} ${address.postal_code}`, countryName(address.country)];
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
