import './details.css';

import { useId, useState } from 'react';

import { instantIn, momentError, type SpanEnd } from '../format/moment.ts';

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

interface MomentFilterProps {
  readonly label: string;
  readonly end: SpanEnd;
  /** As the address has it: an instant, a moment in older links, or '' for none. */
  readonly value: string;
  /** Called with an instant or '', and not while a moment is still being typed. */
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
}

/** One end of the span that a list is filtered by. It keeps what is typed until that is a moment. */
export function MomentFilter({ label, end, value, onChange, error }: MomentFilterProps) {
  const shown = () => {
    const instant = instantIn(value, end);
    if (instant !== undefined) return end.momentOf(instant);
    // A day that does not exist stays, with what is wrong about it; what is no day at all is left out.
    return momentError(value) === undefined ? '' : value;
  };
  const [draft, setDraft] = useState(shown);
  const [shownFor, setShownFor] = useState(value);
  const meaning = (moment: string) => (moment === '' ? '' : end.instantOf(moment));
  if (shownFor !== value) {
    setShownFor(value);
    // What was typed stays where it means the same: 00:00 may be half of a time that is being typed.
    if (meaning(draft) !== value) setDraft(shown());
  }
  const change = (moment: string) => {
    setDraft(moment);
    const next = meaning(moment);
    if (next !== undefined) onChange(next);
  };
  return <MomentInput label={label} value={draft} onChange={change} error={momentError(draft) ?? error} />;
}
