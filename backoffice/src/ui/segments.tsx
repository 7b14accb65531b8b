import './details.css';

import { useId } from 'react';

interface Segment<V extends string> {
  readonly value: V;
  readonly label: string;
  /** How many there are, of what a person has to deal with; undefined while that is not known. */
  readonly count?: string | undefined;
}

interface SegmentsProps<V extends string> {
  /** What is chosen: "List". */
  readonly label: string;
  readonly value: V;
  readonly options: readonly Segment<V>[];
  readonly onChange: (value: V) => void;
}

/** One of a few, side by side, for a filter. Radio buttons, so that the arrow keys choose. */
export function Segments<V extends string>({ label, value, options, onChange }: SegmentsProps<V>) {
  const name = useId();
  return (
    <fieldset className="till-segments">
      <legend className="till-label">{label}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value} className="till-segment">
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span>
              {option.label}
              {option.count !== undefined && (
                <>
                  {' '}
                  <span className={`till-count ${option.count === '0' ? '' : 'till-count-some'}`}>{option.count}</span>
                </>
              )}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
