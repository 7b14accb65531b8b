import { LONGEST_SHIPMENT_ID } from '../limits.ts';

const SHIPMENT_ID = /^[\x21-\x7e]+$/;

/** Why this is not a shipment id as the API takes it: 1 to 255 visible ASCII characters. */
export function shipmentIdError(text: string): string | undefined {
  if (!SHIPMENT_ID.test(text)) return 'A shipment id has no spaces and no special characters.';
  return text.length > LONGEST_SHIPMENT_ID ? `A shipment id has at most ${LONGEST_SHIPMENT_ID} characters.` : undefined;
}
