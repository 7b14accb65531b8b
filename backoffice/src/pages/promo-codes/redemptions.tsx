import type { PromoCode } from '../../api/types.ts';

/** How often a code was used, of how often it may be. */
export function Redemptions({ promo }: { readonly promo: PromoCode }) {
  const { redemptions, max_redemptions: most } = promo;
  const number = new Intl.NumberFormat();
  if (most === null) return <>{number.format(redemptions)}</>;
  const used = Math.min(100, (redemptions / most) * 100);
  return (
    <>
      {number.format(redemptions)} of {number.format(most)}
      {/* The words above say it; the bar is for the eye. */}
      <span className="till-meter" aria-hidden="true">
        <span style={{ width: `${used}%` }} />
      </span>
    </>
  );
}
