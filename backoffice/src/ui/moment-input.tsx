import './details.css';

import { useId } from 'react';

interface MomentInputProps {
  /** "From": the name of the group, and of each of its inputs. */
  readonly label: string;
  /** `2026-11-22`, `2026-11-22T14:30`, or '' for none. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
  readonly hint?: string;
}

/**
 * A day, and if need be a time of it, in the viewer's time zone. Two inputs of the browser, as one for both
 * demands a time of those who mean a day.
 */
export function MomentInput({ label, value, onChange, error, hint }: MomentInputProps) {
  const id = useId();
  const [day = '', time = ''] = value.split('T');
  const describedBy = [error === undefined ? '' : `${id}-error`, hint === undefined ? '' : `${id}-hint`].filter((one) => one !== '').join(' ');
  const described = describedBy === '' ? {} : { 'aria-describedby': describedBy };
  const invalid = error === undefined ? {} : { 'aria-invalid': true as const };
  return (
    <fieldset className="till-field till-moment">
      <legend className="till-label">{label}</legend>
      <div>
        <input
          type="date"
          className="till-control"
          aria-label={`${label}, day`}
          value={day}
          onChange={(event) => {
            const next = event.target.value;
            onChange(next === '' || time === '' ? next : `${next}T${time}`);
          }}
          {...described}
          {...invalid}
        />
        <input
          type="time"
          className="till-control"
          aria-label={`${label}, time`}
          value={time}
          disabled={day === ''}
          onChange={(event) => onChange(event.target.value === '' ? day : `${day}T${event.target.value}`)}
          {...described}
          {...invalid}
        />
      </div>
      {error !== undefined && (
        <p id={`${id}-error`} className="till-field-error">
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="till-field-hint">
          {hint}
        </p>
      )}
    </fieldset>
  );
}
