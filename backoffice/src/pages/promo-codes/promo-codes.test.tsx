import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { CreatePromoCodeRequest, PromoCode, PromoTerms } from '../../api/types.ts';
import { toCsv } from '../../format/csv.ts';
import { discountText } from '../../format/discount.ts';
import { aPromoCode, aPromoCodeDetail } from '../../test/promo-examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { noAnswer, on, type Other, problem, server } from '../../test/server.ts';
import { availabilityOf } from './availability.ts';
import { PROMO_CODE_CSV } from './csv.ts';
import { changeOf, draftOf, EMPTY_TERMS, readTerms, termsOf } from './terms.ts';

function serve(items: readonly PromoCode[] = [aPromoCode()]): URLSearchParams[] {
  const asked: URLSearchParams[] = [];
  server.use(
    on('get', '/promo-codes', ({ query }) => {
      asked.push(query);
      return { items: [...items], next_cursor: null };
    }),
  );
  return asked;
}

describe('the promo codes', () => {
  it('are listed with discount, use and validity', async () => {
    serve([
      aPromoCode({ minimum_subtotal: 1000, first_purchase_only: true, max_redemptions: 100, redemptions: 3 }),
      aPromoCode({ code: 'OLD', discount: { type: 'fixed', amount: 500 }, valid_until: '2025-12-31T23:00:00Z' }),
    ]);
    renderApp('/promo-codes');
    const [spring, old] = (await screen.findAllByRole('rowheader')).map((header) => header.closest('tr'));
    expect(spring).toHaveTextContent(/SPRING15Active20% off, at most \$25\.00Only from \$10\.00, first purchase3 of 100Always/);
    expect(old).toHaveTextContent(/OLDActiveExpired\$5\.00 offEvery purchase0Until/);
  });

  it('are filtered by state in the address', async () => {
    const asked = serve();
    const { user, router } = renderApp('/promo-codes?state=DEACTIVATED');
    await screen.findByRole('rowheader');
    expect(asked[0]?.get('state')).toBe('DEACTIVATED');
    await user.click(screen.getByRole('radio', { name: 'Active' }));
    await waitFor(() => expect(router.state.location.search).toBe('?state=ACTIVE'));
    await user.click(screen.getByRole('radio', { name: 'All' }));
    await waitFor(() => expect(router.state.location.search).toBe(''));
  });

  it('are not made by support', async () => {
    serve([]);
    renderApp('/promo-codes', { roles: ['support'] });
    expect(await screen.findByText('No promo codes yet')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'New promo code' })).toBeNull();
  });

  it('are exported', () => {
    expect(toCsv(PROMO_CODE_CSV, [aPromoCode({ max_redemptions: 100 })])).toContain('SPRING15,ACTIVE,1,percentage,20,,25.00,,USD,0,100,');
  });
});

describe('making a promo code', () => {
  function serveMaking(answers: readonly (PromoCode | Other)[], existing = aPromoCodeDetail()) {
    const sent: CreatePromoCodeRequest[] = [];
    serve([]);
    server.use(
      on('post', '/promo-codes', ({ body }) => {
        const answer = answers[sent.length];
        sent.push(body);
        if (answer === undefined) throw new Error('no answer to a new promo code');
        return answer;
      }),
      on('get', '/promo-codes/{code}', () => existing),
    );
    return sent;
  }

  async function open() {
    const rendered = renderApp('/promo-codes', { roles: ['admin'] });
    await screen.findByText('No promo codes yet');
    await rendered.user.click(screen.getByRole('button', { name: 'New promo code' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'New promo code' }));
    return { ...rendered, dialog, type: (label: string, value: string) => fireEvent.input(dialog.getByLabelText(label), { target: { value } }) };
  }

  it('sends all of its terms, and opens it', async () => {
    const sent = serveMaking([aPromoCode()]);
    const { dialog, type, user, router } = await open();
    type('Code', ' spring15 ');
    type('Per cent off', '20');
    type('At most', '25');
    type('Minimum subtotal', '10.00');
    type('Valid from, day', '2026-03-01');
    type('Valid until, day', '2026-05-31');
    type('Total redemptions', '100');
    type('Redemptions for each customer', '2');
    type('Only these products', 'D0000000-0000-4000-8000-000000000003, d0000000-0000-4000-8000-000000000001');
    await user.click(dialog.getByRole('checkbox', { name: /first purchase/ }));
    expect(dialog.getByText(/takes 20% off, at most \$25\.00/)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    expect(await screen.findByText('SPRING15 is created.')).toBeVisible();
    await waitFor(() => expect(router.state.location.pathname).toBe('/promo-codes/SPRING15'));
    expect(sent).toEqual([
      {
        code: 'SPRING15',
        discount: { type: 'percentage', percent: 20, max_amount: 2500 },
        minimum_subtotal: 1000,
        valid_from: new Date(2026, 2, 1).toISOString(),
        valid_until: new Date(2026, 5, 1).toISOString(),
        max_redemptions: 100,
        max_redemptions_per_customer: 2,
        first_purchase_only: true,
        product_ids: ['d0000000-0000-4000-8000-000000000003', 'd0000000-0000-4000-8000-000000000001'],
      },
    ]);
  });

  it('says what is missing or wrong, at the fields', async () => {
    const sent = serveMaking([]);
    const { dialog, type, user } = await open();
    type('Code', 'a b');
    type('Per cent off', '120');
    type('Total redemptions', '0');
    type('Only these customers', 'chiara');
    type('Valid from, day', '2026-03-02');
    type('Valid until, day', '2026-03-01');
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    expect(dialog.getByLabelText('Code')).toHaveFocus();
    expect(dialog.getByLabelText('Code')).toHaveAccessibleDescription(/3 to 32 letters/);
    expect(dialog.getByLabelText('Per cent off')).toHaveAccessibleDescription(/from 1 to 100/);
    expect(dialog.getByLabelText('Total redemptions')).toHaveAccessibleDescription(/above zero/);
    expect(dialog.getByLabelText('Only these customers')).toHaveAccessibleDescription(/“chiara” is not an id/);
    expect(dialog.getByLabelText('Valid until, day')).toHaveAccessibleDescription(/after the beginning/);
    expect(sent).toEqual([]);
  });

  it('shows what the server says about a field', async () => {
    serveMaking([
      problem(400, 'invalid-request', 'The request is not valid', 'Check the request.', {
        errors: [{ field: 'discount.fixed.amount', message: 'should be greater than 0' }],
      }),
    ]);
    const { dialog, type, user } = await open();
    type('Code', 'SPRING15');
    await user.click(dialog.getByRole('radio', { name: 'A fixed amount' }));
    type('Amount off', '5');
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    await dialog.findByRole('alert');
    expect(dialog.getByLabelText('Amount off')).toHaveAccessibleDescription(/should be greater than 0/);
  });

  const TAKEN = problem(409, 'promo-code-exists', 'The promo code is taken', 'Choose another.');

  it('of a name that is taken leads to the one that has it', async () => {
    serveMaking([TAKEN]);
    const { dialog, type, user } = await open();
    type('Code', 'SPRING15');
    type('Per cent off', '20');
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent('The promo code is taken');
    expect(dialog.getByRole('link', { name: 'SPRING15' })).toHaveAttribute('href', '/promo-codes/SPRING15');
  });

  it('is found to be done when the answer was lost and it is sent again', async () => {
    const sent = serveMaking([noAnswer(), problem(409, 'promo-code-exists', 'The promo code is taken', 'Choose another.')]);
    const { dialog, type, user } = await open();
    type('Code', 'SPRING15');
    type('Per cent off', '20');
    type('At most', '25');
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    await user.click(await dialog.findByRole('button', { name: 'Send again' }));
    expect(await screen.findByText('SPRING15 is created.')).toBeVisible();
    expect(sent).toHaveLength(2);
  });

  it('is found to be done after a reload, too', async () => {
    const sent = serveMaking([noAnswer(), problem(409, 'promo-code-exists', 'The promo code is taken', 'Choose another.')]);
    const before = await open();
    before.type('Code', 'SPRING15');
    before.type('Per cent off', '20');
    before.type('At most', '25');
    await before.user.click(before.dialog.getByRole('button', { name: 'Create promo code' }));
    await before.dialog.findByRole('button', { name: 'Send again' });
    before.unmount();
    const { dialog, user } = await open();
    const notice = dialog.getByRole('alert');
    expect(notice).toHaveTextContent('may have been done: SPRING15. What is entered now would be one more promo code.');
    expect(notice).not.toHaveTextContent('ledger');
    await user.click(dialog.getByRole('button', { name: 'Send the earlier one again' }));
    expect(await screen.findByText('SPRING15 is created.')).toBeVisible();
    expect(sent).toHaveLength(2);
  });

  it('that was left meanwhile is announced, and does not call the rep back', async () => {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    serveMaking([]);
    server.use(
      on('post', '/promo-codes', async () => {
        await ended;
        return aPromoCode();
      }),
      on('get', '/purchases', () => ({ items: [], next_cursor: null })),
    );
    const { dialog, type, user, router } = await open();
    type('Code', 'SPRING15');
    type('Per cent off', '20');
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    await act(() => router.navigate('/purchases'));
    await user.click(await dialog.findByRole('button', { name: 'Leave' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    end();
    expect(await screen.findByText('SPRING15 is created.')).toBeVisible();
    expect(router.state.navigation.state).toBe('idle');
    expect(router.state.location.pathname).toBe('/purchases');
  });

  it('is not taken for done when another person made one of that name', async () => {
    const theirs = aPromoCodeDetail();
    const changes = theirs.changes.map((change) => ({ ...change, actor: 'amir' }));
    serveMaking(
      [noAnswer(), problem(409, 'promo-code-exists', 'The promo code is taken', 'Choose another.')],
      { ...theirs, changes },
    );
    const { dialog, type, user } = await open();
    type('Code', 'SPRING15');
    type('Per cent off', '20');
    type('At most', '25');
    await user.click(dialog.getByRole('button', { name: 'Create promo code' }));
    await user.click(await dialog.findByRole('button', { name: 'Send again' }));
    expect(await dialog.findByText('The promo code is taken')).toBeVisible();
  });
});

describe('terms', () => {
  const terms: PromoTerms = {
    ...termsOf(aPromoCode()),
    valid_from: '2026-01-01T12:00:30.123456Z',
    valid_until: new Date(2026, 11, 25).toISOString(),
    customer_ids: ['c0000000-0000-4000-8000-000000000003'],
  };

  it('are the same after an untouched form, to the microsecond', () => {
    const read = readTerms(draftOf(terms, 'USD'), 'USD', terms);
    expect(read).toEqual({ ok: true, terms });
    expect(changeOf(terms, terms)).toEqual({});
  });

  it('that end with a day are written as that day', () => {
    expect(draftOf(terms, 'USD').validUntil).toBe('2026-12-24');
  });

  it('that are changed are sent, a restriction that was taken away as null', () => {
    const draft = { ...draftOf(terms, 'USD'), customerIds: '', maxAmount: '', percent: '10' };
    const read = readTerms(draft, 'USD', terms);
    if (!read.ok) throw new Error('the terms are right');
    expect(changeOf(terms, read.terms)).toEqual({
      discount: { type: 'percentage', percent: 10 },
      customer_ids: null,
    });
  });

  it('hold at most a hundred ids', () => {
    const ids = Array.from({ length: 101 }, (_one, index) => `c0000000-0000-4000-8000-${index.toString().padStart(12, '0')}`).join('\n');
    const read = readTerms({ ...EMPTY_TERMS, percent: '5', productIds: ids }, 'USD');
    expect(read).toEqual({ ok: false, errors: { productIds: 'At most 100 ids, and these are 101.' } });
  });
});

describe('a discount in words', () => {
  it.each([
    [{ type: 'percentage' as const, percent: 15, max_amount: null }, '15% off'],
    [{ type: 'percentage' as const, percent: 29, max_amount: 2000 }, '29% off, at most $20.00'],
    [{ type: 'fixed' as const, amount: 250 }, '$2.50 off'],
  ])('%j is %s', (discount, text) => {
    expect(discountText(discount, 'USD', 'en-US')).toBe(text);
  });
});

describe('a code can be used', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');
  it.each([
    [{}, 'usable'],
    [{ state: 'DEACTIVATED' as const, valid_until: '2026-01-01T00:00:00Z' }, 'deactivated'],
    [{ valid_until: '2026-06-01T00:00:00Z' }, 'expired'],
    [{ valid_from: '2026-06-01T00:00:01Z' }, 'not yet valid'],
    [{ max_redemptions: 3, redemptions: 3 }, 'used up'],
  ])('or not: %j is %s', (changes, availability) => {
    expect(availabilityOf(aPromoCode(changes), now)).toBe(availability);
  });
});
