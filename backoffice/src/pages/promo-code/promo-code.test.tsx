import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import type { PromoCode, PromoCodeDetail, UpdatePromoCodeRequest } from '../../api/types.ts';
import type { Role } from '../../auth/viewer.ts';
import { aCustomer, CUSTOMER_ID } from '../../test/examples.ts';
import { aPromoCodeDetail } from '../../test/promo-examples.ts';
import { renderApp } from '../../test/render-app.tsx';
import { noAnswer, on, type Other, problem, server } from '../../test/server.ts';

const FIRST = aPromoCodeDetail();
const NAMES = { amir: 'Amir Haddad', rita: 'Rita Sorensen' };

/** The code with one more version. */
function withVersion(changes: Partial<PromoCode>, actor: keyof typeof NAMES, before: PromoCodeDetail = FIRST): PromoCodeDetail {
  const version = before.version + 1;
  const last = before.changes.at(-1);
  if (last === undefined) throw new Error('a code has a version');
  const action = changes.state === 'DEACTIVATED' ? ('DEACTIVATED' as const) : ('UPDATED' as const);
  const terms = { ...last.terms, ...('discount' in changes && changes.discount !== undefined ? { discount: changes.discount } : {}) };
  return {
    ...before,
    ...changes,
    version,
    updated_by: actor,
    updated_by_name: NAMES[actor],
    changes: [...before.changes, { version, action, actor, actor_name: NAMES[actor], at: '2026-04-01T09:00:00Z', terms }],
  };
}

const TEN = { discount: { type: 'percentage' as const, percent: 10, max_amount: 2500 } };
const STALE = () => problem(412, 'stale-version', 'Another person has changed it meanwhile', 'Read it again.', { version: 2 });

interface Sent {
  readonly body: UpdatePromoCodeRequest;
  readonly ifMatch: string | null;
}

/** `answers`: to changes, one after the other; each may also say what the code is from then on. */
function serve(promo: PromoCodeDetail = FIRST, answers: readonly (() => { answer: PromoCode | Other; now?: PromoCodeDetail })[] = []) {
  const sent: Sent[] = [];
  const ended: string[] = [];
  let current = promo;
  server.use(
    on('get', '/promo-codes/{code}', () => current),
    on('patch', '/promo-codes/{code}', ({ body, headers }) => {
      const answering = answers[sent.length];
      sent.push({ body, ifMatch: headers.get('If-Match') });
      if (answering === undefined) throw new Error('no answer to a change');
      const { answer, now } = answering();
      if (now !== undefined) current = now;
      return answer;
    }),
    on('post', '/promo-codes/{code}/deactivation', ({ params }) => {
      ended.push(params['code'] ?? '');
      current = withVersion({ state: 'DEACTIVATED' }, 'rita');
      return current;
    }),
  );
  return { sent, ended };
}

async function open(roles: readonly Role[] = ['admin']) {
  const rendered = renderApp('/promo-codes/SPRING15', { roles });
  await screen.findByRole('heading', { level: 2, name: 'Terms' });
  return rendered;
}

async function edit() {
  const rendered = await open();
  await rendered.user.click(screen.getByRole('button', { name: 'Edit terms' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Edit the terms of SPRING15' }));
  const percent = (value: string) => fireEvent.input(dialog.getByLabelText('Per cent off'), { target: { value } });
  return { ...rendered, dialog, percent, save: () => dialog.getByRole('button', { name: 'Save terms' }) };
}

describe('a promo code', () => {
  it('opened after another one, is edited with its own terms', async () => {
    const codes = [FIRST, aPromoCodeDetail({ code: 'AUTUMN10', ...TEN })];
    server.use(on('get', '/promo-codes/{code}', ({ params }) => codes.find(({ code }) => code === params['code']) ?? FIRST));
    const { user, router } = renderApp('/promo-codes/AUTUMN10', { roles: ['admin'] });
    await screen.findByRole('heading', { level: 1, name: 'AUTUMN10' });
    await screen.findByRole('heading', { level: 2, name: 'Terms' });
    await act(() => router.navigate('/promo-codes/SPRING15'));
    await user.click(await screen.findByRole('button', { name: 'Edit terms' }));
    expect(within(await screen.findByRole('dialog', { name: 'Edit the terms of SPRING15' })).getByLabelText('Per cent off')).toHaveValue('20');
    await act(() => router.navigate(-1));
    expect(screen.queryByRole('dialog')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Edit terms' }));
    expect(within(await screen.findByRole('dialog', { name: 'Edit the terms of AUTUMN10' })).getByLabelText('Per cent off')).toHaveValue('10');
  });

  it('is shown with its terms, its use and its history', async () => {
    server.use(on('get', '/customers/{customer_id}', () => aCustomer()));
    serve({ ...withVersion(TEN, 'amir'), redemptions: 3, max_redemptions: 100, customer_ids: [CUSTOMER_ID] });
    await open(['support']);
    expect(screen.getByText('3 of 100')).toBeVisible();
    expect(await screen.findByRole('link', { name: 'Chiara Lindqvist' })).toBeVisible();
    const story = within(screen.getByRole('list', { name: 'Versions of the promo code' }));
    expect(story.getByText(/Created/)).toBeVisible();
    expect(story.getByText('20% off, at most $25.00', { selector: 'del' })).toBeVisible();
    expect(story.getByText('10% off, at most $25.00', { selector: 'ins' })).toBeVisible();
    expect(story.getByText(NAMES.amir)).toBeVisible();
  });

  it('is not changed by support', async () => {
    serve();
    await open(['support']);
    expect(screen.queryByRole('button', { name: 'Edit terms' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Deactivate' })).toBeNull();
  });

  it('that is deactivated stays as it is', async () => {
    serve(withVersion({ state: 'DEACTIVATED' }, 'amir'));
    await open();
    expect(screen.queryByRole('button', { name: 'Edit terms' })).toBeNull();
  });

  it('that does not exist is said not to', async () => {
    server.use(on('get', '/promo-codes/{code}', () => problem(404, 'promo-code-not-found', 'There is no such promo code', 'Check it.')));
    renderApp('/promo-codes/NOPE');
    expect(await screen.findByText('There is no such promo code.')).toBeVisible();
  });
});

describe('editing the terms', () => {
  it('sends what is changed, of the version that was shown, once', async () => {
    const now = withVersion(TEN, 'rita');
    const { sent } = serve(FIRST, [() => ({ answer: now, now })]);
    const { dialog, percent, save } = await edit();
    expect(dialog.getByText('Nothing is changed yet.')).toBeVisible();
    percent('10');
    expect(dialog.getByText(/will take 10% off, at most \$25\.00; 1 term changes/)).toBeVisible();
    const button = save();
    fireEvent.click(button);
    fireEvent.click(button);
    expect(await screen.findByText('The terms of SPRING15 are changed.')).toBeVisible();
    expect(sent).toEqual([{ body: TEN, ifMatch: '"1"' }]);
    expect(await screen.findByText('10% off, at most $25.00', { selector: 'ins' })).toBeVisible();
  });

  it('sends nothing when nothing is changed', async () => {
    const { sent } = serve();
    const { save, user } = await edit();
    await user.click(save());
    expect(sent).toEqual([]);
  });

  it('of a version that is not the newest offers to load that one', async () => {
    const theirs = withVersion({ ...TEN, max_redemptions: 50 }, 'amir');
    const ours = withVersion({ discount: { type: 'percentage', percent: 5, max_amount: 2500 } }, 'rita', theirs);
    const { sent } = serve(FIRST, [() => ({ answer: STALE(), now: theirs }), () => ({ answer: ours, now: ours })]);
    const { dialog, percent, save, user } = await edit();
    percent('5');
    await user.click(save());
    expect(await dialog.findByText('Another person has changed it meanwhile')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Load the newest version' }));
    expect(await dialog.findByText(/Version 2 is loaded, by Amir Haddad/)).toBeVisible();
    expect(dialog.queryByRole('alert')).toBeNull();
    expect(dialog.getByText(/Version 2 is loaded/).closest('[tabindex]')).toHaveFocus();
    expect(dialog.getByLabelText('Per cent off')).toHaveValue('10');
    expect(dialog.getByLabelText('Total redemptions')).toHaveValue('50');
    percent('5');
    await user.click(save());
    expect(await screen.findByText('The terms of SPRING15 are changed.')).toBeVisible();
    expect(sent.map((one) => one.ifMatch)).toEqual(['"1"', '"2"']);
  });

  it('says when the newest version cannot be loaded, and keeps what is typed', async () => {
    serve(FIRST, [() => ({ answer: STALE() })]);
    const { dialog, percent, save, user } = await edit();
    percent('5');
    await user.click(save());
    const button = await dialog.findByRole('button', { name: 'Load the newest version' });
    server.use(on('get', '/promo-codes/{code}', () => problem(503, 'busy', 'The books are too busy', 'Try in a moment.')));
    await user.click(button);
    expect(await screen.findByText('The newest version could not be loaded. The server is busy. Try again in a moment.')).toBeInTheDocument();
    expect(dialog.getByLabelText('Per cent off')).toHaveValue('5');
  });

  it('is found to be done when the answer was lost and it is sent again', async () => {
    const { sent } = serve(FIRST, [() => ({ answer: noAnswer(), now: withVersion(TEN, 'rita') }), () => ({ answer: STALE() })]);
    const { dialog, percent, save, user } = await edit();
    percent('10');
    await user.click(save());
    await user.click(await dialog.findByRole('button', { name: 'Send again' }));
    expect(await screen.findByText('The terms of SPRING15 are changed.')).toBeVisible();
    expect(sent).toHaveLength(2);
  });

  it('is found to be done after a reload, too', async () => {
    const { sent } = serve(FIRST, [() => ({ answer: noAnswer(), now: withVersion(TEN, 'rita') }), () => ({ answer: STALE() })]);
    const before = await edit();
    before.percent('10');
    await before.user.click(before.save());
    await before.dialog.findByRole('button', { name: 'Send again' });
    before.unmount();
    const { dialog, user } = await edit();
    const notice = dialog.getByRole('alert');
    expect(notice).toHaveTextContent('a change of version 1. If it was done, what is entered now changes the terms once more.');
    expect(notice).not.toHaveTextContent('ledger');
    await user.click(dialog.getByRole('button', { name: 'Send the earlier one again' }));
    expect(await screen.findByText('The terms of SPRING15 are changed.')).toBeVisible();
    expect(sent).toHaveLength(2);
  });

  it('is not taken for done when the newer version is another person’s', async () => {
    serve(FIRST, [() => ({ answer: noAnswer(), now: withVersion(TEN, 'amir') }), () => ({ answer: STALE() })]);
    const { dialog, percent, save, user } = await edit();
    percent('10');
    await user.click(save());
    await user.click(await dialog.findByRole('button', { name: 'Send again' }));
    expect(await dialog.findByText('Another person has changed it meanwhile')).toBeVisible();
  });

  it('that was cancelled is forgotten', async () => {
    serve();
    const { dialog, percent, user } = await edit();
    percent('10');
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    await user.click(screen.getByRole('button', { name: 'Edit terms' }));
    expect(within(await screen.findByRole('dialog')).getByLabelText('Per cent off')).toHaveValue('20');
  });
});

describe('deactivating', () => {
  it('asks first, and then it is for good', async () => {
    const { ended } = serve();
    const { user } = await open();
    await user.click(screen.getByRole('button', { name: 'Deactivate' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Deactivate SPRING15' }));
    expect(dialog.getByText(/ends now, for good/)).toBeVisible();
    expect(ended).toEqual([]);
    const button = dialog.getByRole('button', { name: 'Deactivate' });
    fireEvent.click(button);
    fireEvent.click(button);
    expect(await screen.findByText('SPRING15 is deactivated.')).toBeVisible();
    expect(ended).toEqual(['SPRING15']);
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Edit terms' })).toBeNull());
  });
});
