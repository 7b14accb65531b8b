import { usePromoCode } from '../../api/queries.ts';
import { places } from '../../app/places.ts';
import { useRouteParam } from '../../app/route-params.ts';
import { TextLink } from '../../ui/button.tsx';
import { Card, Facts, Page } from '../../ui/page.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { StatusBadge } from '../../ui/values.tsx';

/** A promo code with its history. */
export function PromoCodePage() {
  const code = useRouteParam('code');
  const promoCode = usePromoCode(code);
  return (
    <Page
      title={code}
      above={<TextLink to={places.promoCodes()}>Promo codes</TextLink>}
      beside={promoCode.data && <StatusBadge status={promoCode.data.state} />}
    >
      <Answer
        query={promoCode}
        loading="Loading the promo code"
        failed="The promo code could not be loaded"
        notFound={<Empty title="There is no such promo code." />}
      >
        {(found) => (
          <Card title="Terms">
            <Facts facts={[{ label: 'Version', value: found.version }]} />
          </Card>
        )}
      </Answer>
    </Page>
  );
}
