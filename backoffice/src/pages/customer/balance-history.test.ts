import { describe, expect, it } from 'vitest';

import { anEntry } from '../../test/examples.ts';
import { balanceBefore, balanceLine, extremes } from './balance-history.ts';

const AT = Date.parse('2026-11-22T17:36:15Z');
const first = anEntry({ created_at: '2026-11-22T17:36:15Z', amount: 4000, balance_after: 4000 });
const second = anEntry({ sequence: 2, created_at: '2026-11-22T17:36:19Z', kind: 'PURCHASE', amount: -2500, balance_after: 1500 });

describe('the line of the balance', () => {
  it('has a step for each movement, and goes on to now', () => {
    expect(balanceLine([first, second], AT + 60_000)).toEqual([
      { at: AT, balance: 4000, entry: first },
      { at: AT + 4000, balance: 1500, entry: second },
      { at: AT + 60_000, balance: 1500, entry: undefined },
    ]);
  });

  it('is a line with one movement too', () => {
    expect(balanceLine([first], AT + 1000).map(({ at, balance }) => [at - AT, balance])).toEqual([
      [0, 4000],
      [1000, 4000],
    ]);
  });

  it('does not go back where the clock of the viewer is slow', () => {
    expect(balanceLine([first, second], AT).at(-1)).toEqual({ at: AT + 4000, balance: 1500, entry: undefined });
  });

  it('is empty without a movement', () => {
    expect(balanceLine([], AT)).toEqual([]);
    expect(balanceBefore([])).toBe(0);
  });

  it('begins with what was there before', () => {
    expect(balanceBefore([first, second])).toBe(0);
    expect(balanceBefore([second])).toBe(4000);
  });

  it('knows its lowest and its highest', () => {
    expect(extremes([first, second])).toEqual({ lowest: 1500, highest: 4000 });
    expect(extremes([first])).toEqual({ lowest: 4000, highest: 4000 });
  });
});
