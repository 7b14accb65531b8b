import type { Credit, Customer, Entry, Purchase } from '../api/types.ts';
import { aCredit, aCustomer, anEntry } from './examples.ts';
import { on, server } from './server.ts';

interface What {
  readonly customer?: Partial<Customer>;
  readonly balance?: Partial<Credit>;
  readonly entries?: readonly Entry[];
  readonly purchases?: readonly Purchase[];
}

/** For tests: an API that has this one customer, and says how often the balance and the ledger were read. */
export function apiOfACustomer({ customer = {}, balance = {}, entries = [anEntry()], purchases = [] }: What = {}) {
  const reads = { balance: 0, ledger: 0 };
  server.use(
    on('get', '/customers/{customer_id}', () => aCustomer(customer)),
    on('get', '/customers/{customer_id}/credit', () => {
      reads.balance += 1;
      return aCredit(balance);
    }),
    on('get', '/customers/{customer_id}/credit/entries', () => {
      reads.ledger += 1;
      return { items: [...entries], next_cursor: null };
    }),
    on('get', '/customers/{customer_id}/purchases', () => ({ items: [...purchases], next_cursor: null })),
  );
  return reads;
}
