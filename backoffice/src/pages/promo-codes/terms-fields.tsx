import type { Problem } from '../../api/problem.ts';
import { CheckInput } from '../../ui/check-input.tsx';
import { AmountInput, RadioChoice, TextArea, TextInput } from '../../ui/fields.tsx';
import { MomentInput } from '../../ui/moment-input.tsx';
import type { TermsDraft, TermsErrors } from './terms.ts';

/** What the API calls the fields. */
const NAMES: Readonly<Partial<Record<keyof TermsDraft, string>>> = {
  percent: 'discount.percentage.percent',
  maxAmount: 'discount.percentage.max_amount',
  amount: 'discount.fixed.amount',
  minimumSubtotal: 'minimum_subtotal',
  validFrom: 'valid_from',
  validUntil: 'valid_until',
  maxRedemptions: 'max_redemptions',
  maxPerCustomer: 'max_redemptions_per_customer',
  productIds: 'product_ids',
  customerIds: 'customer_ids',
};

interface TermsFieldsProps {
  readonly draft: TermsDraft;
  readonly onChange: (changes: Partial<TermsDraft>) => void;
  readonly currency: string;
  /** What is wrong with the fields, once it is to be shown. */
  readonly errors: TermsErrors;
  readonly problem: Problem | null;
}

/** The terms of a promo code, to be filled in. */
export function TermsFields({ draft, onChange, currency, errors, problem }: TermsFieldsProps) {
  const errorOf = (field: keyof TermsDraft): string | undefined => {
    const name = NAMES[field];
    // One of a list is named by its place: product_ids.0.
    const told = problem?.errors.find((error) => name !== undefined && (error.field === name || error.field.startsWith(`${name}.`)));
    return errors[field] ?? told?.message;
  };
  return (
    <>
      <fieldset className="till-form-part">
        <legend>Discount</legend>
        <RadioChoice
          label="Kind"
          value={draft.kind}
          options={[
            { value: 'percentage', label: 'A percentage' },
            { value: 'fixed', label: 'A fixed amount' },
          ]}
          onChange={(kind) => onChange({ kind })}
        />
        {draft.kind === 'percentage' ? (
          <div className="till-form-pair">
            <TextInput
              label="Per cent off"
              value={draft.percent}
              onChange={(percent) => onChange({ percent })}
              error={errorOf('percent')}
              inputMode="numeric"
              start={<span className="till-field-unit">%</span>}
              required
            />
            <AmountInput
              label="At most"
              currency={currency}
              value={draft.maxAmount}
              onChange={(maxAmount) => onChange({ maxAmount })}
              error={errorOf('maxAmount')}
              hint="Empty: no cap."
            />
          </div>
        ) : (
          <AmountInput
            label="Amount off"
            currency={currency}
            value={draft.amount}
            onChange={(amount) => onChange({ amount })}
            error={errorOf('amount')}
            hint="Never more than the subtotal of the purchase."
            required
          />
        )}
      </fieldset>
      <fieldset className="till-form-part">
        <legend>When and how often</legend>
        <div className="till-form-pair">
          <MomentInput
            label="Valid from"
            value={draft.validFrom}
            onChange={(validFrom) => onChange({ validFrom })}
            error={errorOf('validFrom')}
            hint="Empty: immediately."
          />
          <MomentInput
            label="Valid until"
            value={draft.validUntil}
            onChange={(validUntil) => onChange({ validUntil })}
            error={errorOf('validUntil')}
            hint="Empty: no end. Without a time, the day is included."
          />
          <TextInput
            label="Total redemptions"
            value={draft.maxRedemptions}
            onChange={(maxRedemptions) => onChange({ maxRedemptions })}
            error={errorOf('maxRedemptions')}
            inputMode="numeric"
            hint="Empty: no limit."
          />
          <TextInput
            label="Redemptions for each customer"
            value={draft.maxPerCustomer}
            onChange={(maxPerCustomer) => onChange({ maxPerCustomer })}
            error={errorOf('maxPerCustomer')}
            inputMode="numeric"
            hint="Empty: no limit."
          />
        </div>
      </fieldset>
      <fieldset className="till-form-part">
        <legend>For what and whom</legend>
        <AmountInput
          label="Minimum subtotal"
          currency={currency}
          value={draft.minimumSubtotal}
          onChange={(minimumSubtotal) => onChange({ minimumSubtotal })}
          error={errorOf('minimumSubtotal')}
          hint="Empty: any."
        />
        <CheckInput
          label="Only for a customer’s first purchase"
          checked={draft.firstPurchaseOnly}
          onChange={(firstPurchaseOnly) => onChange({ firstPurchaseOnly })}
        />
        <div className="till-form-pair">
          <TextArea
            label="Only these products"
            value={draft.productIds}
            onChange={(productIds) => onChange({ productIds })}
            error={errorOf('productIds')}
            hint="Product ids, one a line. Empty: all."
          />
          <TextArea
            label="Only these customers"
            value={draft.customerIds}
            onChange={(customerIds) => onChange({ customerIds })}
            error={errorOf('customerIds')}
            hint="Customer ids, one a line. Empty: all."
          />
        </div>
      </fieldset>
    </>
  );
}
