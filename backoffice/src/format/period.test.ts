import { describe, expect, it } from 'vitest';

import { boundsOf } from './period.ts';

const JANUARY = new Date('2027-01-15T10:00:00Z');

describe('the bounds of a period', () => {
  it.each([
    ['everything', {}],
    ['this-month', { from: '2027-01-01T00:00:00.000Z' }],
    ['last-month', { from: '2026-12-01T00:00:00.000Z', to: '2027-01-01T00:00:00.000Z' }],
    ['this-year', { from: '2027-01-01T00:00:00.000Z' }],
    ['last-year', { from: '2026-01-01T00:00:00.000Z', to: '2027-01-01T00:00:00.000Z' }],
  ] as const)('%s', (period, bounds) => {
    expect(boundsOf(period, JANUARY)).toEqual(bounds);
  });

  it('are those of UTC, whatever day it is elsewhere', () => {
    expect(boundsOf('this-month', new Date('2026-12-31T23:30:00-05:00'))).toEqual({ from: '2027-01-01T00:00:00.000Z' });
  });
});
