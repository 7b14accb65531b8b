import { useState } from 'react';
import { Area, AreaChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';

import type { Entry } from '../../api/types.ts';
import { formatMoney, minorDigits } from '../../format/money.ts';
import { formatDate, formatInstant } from '../../format/time.ts';
import { Money, statusText } from '../../ui/values.tsx';
import { balanceBefore, balanceLine, type BalancePoint } from './balance-history.ts';

interface BalanceChartProps {
  /** The oldest first; at least one. */
  readonly entries: readonly Entry[];
  readonly currency: string;
}

const HEIGHT = 92;
/** With more of them, they would be all that one sees. */
const MOST_DOTS = 40;
/** Where the labels stand, so that none is cut off at an end. */
const TICKS = [0.12, 0.5, 0.88] as const;
const A_DAY = 86_400_000;

/** The balance over time, as steps. Its user says in words what it shows: this is for the eye only. */
export function BalanceChart({ entries, currency }: BalanceChartProps) {
  const [now] = useState(() => Date.now());
  const line = balanceLine(entries, now);
  const from = line[0]?.at ?? now;
  const until = line.at(-1)?.at ?? now;
  // A little room before the first movement, so that one can see it as a step from what was there before.
  const start = from - Math.max((until - from) * 0.03, 1000);
  const points: readonly BalancePoint[] = [{ at: start, balance: balanceBefore(entries), entry: undefined }, ...line];
  const label = tickFormat(until - start);
  return (
    <div className="till-chart" aria-hidden="true">
      <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 640, height: HEIGHT }}>
        <AreaChart data={[...points]} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--till-line)" />
          <XAxis
            dataKey="at"
            type="number"
            scale="time"
            domain={[start, until]}
            ticks={ticksBetween(start, until, label)}
            tickFormatter={label}
            height={20}
            minTickGap={24}
            tickLine={false}
            axisLine={{ stroke: 'var(--till-line)' }}
            tick={{ fill: 'var(--till-muted)', fontSize: 12 }}
          />
          <YAxis
            width="auto"
            domain={[(least: number) => Math.min(0, least), 'auto']}
            tickCount={3}
            tickFormatter={(minor: number) => roundMoney(minor, currency)}
            tickLine={false}
            axisLine={false}
            tick={{ fill: 'var(--till-muted)', fontSize: 12 }}
          />
          <Tooltip
            isAnimationActive={false}
            cursor={{ stroke: 'var(--till-line-strong)', strokeDasharray: '3 3' }}
            content={({ active, payload }) => {
              const point: unknown = payload?.[0]?.payload;
              return active === true && isPoint(point) ? <PointNote point={point} currency={currency} /> : null;
            }}
          />
          <Area
            dataKey="balance"
            type="stepAfter"
            stroke="var(--till-chart-line)"
            strokeWidth={2}
            fill="var(--till-chart-line)"
            fillOpacity={0.12}
            dot={entries.length <= MOST_DOTS && MovementDot}
            activeDot={{ r: 4.5, stroke: 'var(--till-card)', strokeWidth: 2 }}
            isAnimationActive={false}
          />
        </AreaChart>
      </ResponsiveContainer>
    </div>
  );
}

function isPoint(value: unknown): value is BalancePoint {
  return typeof value === 'object' && value !== null && 'at' in value && 'balance' in value;
}

/** A dot for each movement; neither the beginning of the line nor its end is one. */
function MovementDot({ cx, cy, payload }: { readonly cx?: number | undefined; readonly cy?: number | undefined; readonly payload?: unknown }) {
  return isPoint(payload) && payload.entry !== undefined ? <circle cx={cx} cy={cy} r={2.5} fill="var(--till-chart-line)" /> : null;
}

/** Evenly spaced times, without one that would be labelled like the one before it. */
function ticksBetween(start: number, until: number, label: (at: number) => string): number[] {
  const ticks = TICKS.map((part) => start + (until - start) * part);
  return ticks.filter((at, index) => index === 0 || label(at) !== label(ticks[index - 1] ?? at));
}

/** What is shown at the pointer. */
function PointNote({ point, currency }: { readonly point: BalancePoint; readonly currency: string }) {
  const { at, balance, entry } = point;
  return (
    <div className="till-chart-note">
      <strong>
        <Money minor={balance} currency={currency} />
      </strong>
      {entry === undefined ? (
        <span className="till-muted">{formatInstant(new Date(at).toISOString())}</span>
      ) : (
        <>
          <span>
            {statusText(entry.kind)} <Money minor={entry.amount} currency={currency} signed />
          </span>
          <span className="till-muted">{formatInstant(entry.created_at)}</span>
        </>
      )}
    </div>
  );
}

/** Times of day where the line is short, days where it is long. */
function tickFormat(span: number): (at: number) => string {
  if (span > 2 * A_DAY) return (at) => formatDate(new Date(at).toISOString());
  const time = new Intl.DateTimeFormat(undefined, { timeStyle: span < A_DAY / 144 ? 'medium' : 'short' });
  return (at) => time.format(at);
}

/** An amount for an axis: without minor digits where they are zero. */
function roundMoney(minor: number, currency: string): string {
  if (minor % 10 ** minorDigits(currency) !== 0) return formatMoney(Math.round(minor), currency);
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency, maximumFractionDigits: 0 });
  return format.format(minor / 10 ** minorDigits(currency));
}
