import './details.css';

import { formatDuration } from '../format/duration.ts';
import { exactUtc, formatInstant } from '../format/time.ts';
import { useNow } from './now.ts';

const SOON_MS = 6 * 3_600_000;
const VERY_SOON_MS = 3_600_000;

interface TimeLeftProps {
  readonly until: string;
  /** What it is, once there is none left: "Deadline passed". */
  readonly over: string;
  readonly width?: 'long' | 'short';
}

/**
 * How long is left, live. A timer to a screen reader: read out when one comes to it, not each second.
 */
export function TimeLeft({ until, over, width = 'long' }: TimeLeftProps) {
  const left = Date.parse(until) - useNow();
  const tone = left <= VERY_SOON_MS ? ' till-time-left-very-soon' : left <= SOON_MS ? ' till-time-left-soon' : '';
  return (
    <time
      role="timer"
      dateTime={until}
      title={`${formatInstant(until)} (${exactUtc(until)})`}
      className={`till-time-left${tone}`}
    >
      {left <= 0 ? over : `${formatDuration(left, { width })} left`}
    </time>
  );
}
