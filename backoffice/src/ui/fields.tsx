import { RadioGroup as ClickRadioGroup } from '@clickhouse/click-ui/RadioGroup';
import { TextAreaField } from '@clickhouse/click-ui/TextAreaField';
import { TextField } from '@clickhouse/click-ui/TextField';
import { type InputHTMLAttributes, type ReactNode, type Ref, useId } from 'react';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** What is wrong with the value; linked to the input, so that it is read out with it. */
  readonly error?: string | undefined;
  /** What helps to fill it in; linked likewise. */
  readonly hint?: ReactNode;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

interface Linked {
  readonly id: string;
  readonly errorId: string;
  readonly hintId: string;
  /** The attributes that link the input to its error and its hint. */
  readonly aria: { readonly 'aria-describedby'?: string; readonly 'aria-invalid'?: true; readonly 'aria-required'?: true };
}

/** Ids that link an input to its label, error and hint. ClickUI links only the label. */
function useLinks({ error, hint, required }: Pick<FieldProps, 'error' | 'hint' | 'required'>): Linked {
  const id = useId();
  const errorId = `${id}-error`;
  const hintId = `${id}-hint`;
  const describedBy = [error === undefined ? '' : errorId, hint === undefined ? '' : hintId].filter((one) => one !== '').join(' ');
  return {
    id,
    errorId,
    hintId,
    aria: {
      ...(describedBy === '' ? {} : { 'aria-describedby': describedBy }),
      ...(error === undefined ? {} : { 'aria-invalid': true }),
      ...(required === true ? { 'aria-required': true } : {}),
    },
  };
}

function Field({ links, hint, error, children }: { readonly links: Linked; readonly hint: ReactNode; readonly error: string | undefined; readonly children: ReactNode }) {
  return (
    <div className="till-field">
      {children}
      {error !== undefined && (
        <p id={links.errorId} className="till-field-error">
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p id={links.hintId} className="till-field-hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextInputProps extends FieldProps {
  readonly inputMode?: InputHTMLAttributes<HTMLInputElement>['inputMode'];
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly autoFocus?: boolean;
  /** Shown before the text: a currency. */
  readonly start?: ReactNode;
  readonly inputRef?: Ref<HTMLInputElement>;
}

/** A line of text. */
export function TextInput(props: TextInputProps) {
  const { label, value, onChange, error, hint, disabled, inputMode, placeholder, maxLength, autoFocus, start, inputRef } = props;
  const links = useLinks(props);
  return (
    <Field links={links} hint={hint} error={error}>
      <TextField
        id={links.id}
        type="text"
        label={label}
        value={value}
        onChange={(text) => onChange(text)}
        // True draws the field as wrong; the text of the error is ours, for it has to have an id.
        error={error !== undefined}
        disabled={disabled ?? false}
        autoComplete="off"
        startContent={start}
        {...links.aria}
        {...(inputMode === undefined ? {} : { inputMode })}
        {...(placeholder === undefined ? {} : { placeholder })}
        {...(maxLength === undefined ? {} : { maxLength })}
        {...(autoFocus === undefined ? {} : { autoFocus })}
        {...(inputRef === undefined ? {} : { ref: inputRef })}
      />
    </Field>
  );
}

interface AmountInputProps extends Omit<TextInputProps, 'inputMode' | 'start' | 'placeholder'> {
  readonly currency: string;
}

/** An amount of money as it is typed; read it with `parseAmount`. */
export function AmountInput({ currency, ...props }: AmountInputProps) {
  return <TextInput {...props} inputMode="decimal" start={<span className="till-field-unit">{currency}</span>} />;
}

interface TextAreaProps extends FieldProps {
  readonly rows?: number;
  readonly maxLength?: number;
}

/** Several lines of text: a reason. */
export function TextArea(props: TextAreaProps) {
  const { label, value, onChange, error, hint, disabled, rows, maxLength } = props;
  const links = useLinks(props);
  return (
    <Field links={links} hint={hint} error={error}>
      <TextAreaField
        id={links.id}
        label={label}
        value={value}
        onChange={(text) => onChange(text)}
        error={error !== undefined}
        disabled={disabled ?? false}
        rows={rows ?? 3}
        {...links.aria}
        {...(maxLength === undefined ? {} : { maxLength })}
      />
    </Field>
  );
}

interface Option<V extends string> {
  readonly value: V;
  readonly label: string;
}

interface SelectInputProps<V extends string> {
  readonly label: string;
  /** '' for none: then `none` is shown. */
  readonly value: V | '';
  readonly options: readonly Option<V>[];
  /** The option for no choice: "Any status". Without it, one has to be chosen. */
  readonly none?: string;
  readonly onChange: (value: V | '') => void;
  readonly error?: string | undefined;
  readonly hint?: ReactNode;
  readonly disabled?: boolean;
}

/**
 * One of several. The browser's own select in ClickUI's clothes: ClickUI's options have no role, so that neither
 * a screen reader nor a keyboard user can tell what they are.
 */
export function SelectInput<V extends string>(props: SelectInputProps<V>) {
  const { label, value, options, none, onChange, error, hint, disabled } = props;
  const links = useLinks(props);
  return (
    <Field links={links} hint={hint} error={error}>
      <label className="till-label" htmlFor={links.id}>
        {label}
      </label>
      <div className="till-select">
        <select
          id={links.id}
          className="till-control"
          value={value}
          disabled={disabled ?? false}
          onChange={(event) => {
            const chosen = options.find((option) => option.value === event.target.value);
            onChange(chosen === undefined ? '' : chosen.value);
          }}
          {...links.aria}
        >
          {none !== undefined && <option value="">{none}</option>}
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      </div>
    </Field>
  );
}

interface DateInputProps extends FieldProps {
  readonly min?: string;
  readonly max?: string;
}

/** A day, `2026-11-22`; '' for none. The browser's own: it knows the viewer's calendar and is used by keyboard. */
export function DateInput(props: DateInputProps) {
  const { label, value, onChange, error, hint, disabled, min, max } = props;
  const links = useLinks(props);
  return (
    <Field links={links} hint={hint} error={error}>
      <label className="till-label" htmlFor={links.id}>
        {label}
      </label>
      <input
        id={links.id}
        type="date"
        className="till-control"
        value={value}
        disabled={disabled ?? false}
        onChange={(event) => onChange(event.target.value)}
        {...(min === undefined ? {} : { min })}
        {...(max === undefined ? {} : { max })}
        {...links.aria}
      />
    </Field>
  );
}

interface RadioChoiceProps<V extends string> {
  readonly label: string;
  /** '' for none chosen yet. */
  readonly value: V | '';
  readonly options: readonly Option<V>[];
  readonly onChange: (value: V) => void;
  readonly error?: string | undefined;
  readonly hint?: ReactNode;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

/** One of a few, all of them shown. The label names the group, which ClickUI's does not. */
export function RadioChoice<V extends string>(props: RadioChoiceProps<V>) {
  const { label, value, options, onChange, error, hint, disabled } = props;
  const links = useLinks(props);
  const labelId = `${links.id}-label`;
  return (
    <Field links={links} hint={hint} error={error}>
      <span id={labelId} className="till-label">
        {label}
      </span>
      <ClickRadioGroup
        aria-labelledby={labelId}
        {...links.aria}
        value={value}
        disabled={disabled ?? false}
        onValueChange={(next) => {
          const chosen = options.find((option) => option.value === next);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <ClickRadioGroup.Item key={option.value} value={option.value} label={option.label} />
        ))}
      </ClickRadioGroup>
    </Field>
  );
}
