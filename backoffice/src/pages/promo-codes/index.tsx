import { PAGE_SIZE, usePromoCodes } from '../../api/queries.ts';
import type { PromoCode } from '../../api/types.ts';
import { places } from '../../app/places.ts';
import { useCursor } from '../../app/url-state.ts';
import { TextLink } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Answer, Empty } from '../../ui/states.tsx';
import { StatusBadge } from '../../ui/values.tsx';

const COLUMNS: readonly Column<PromoCode>[] = [
  { id: 'code', header: 'Code', isRowHeader: true, cell: (promo) => <TextLink to={places.promoCode(promo.code)}>{promo.code}</TextLink> },
  { id: 'state', header: 'State', cell: (promo) => <StatusBadge status={promo.state} /> },
];

/** All promo codes. */
export function PromoCodesPage() {
  const { cursor, pages } = useCursor();
  const promoCodes = usePromoCodes({ limit: PAGE_SIZE, cursor });
  return (
    <Page title="Promo codes">
      <Card flush>
        <Answer query={promoCodes} loading="Loading promo codes" failed="The promo codes could not be loaded">
          {(page) =>
            page.items.length === 0 ? (
              <Empty title="No promo codes yet" />
            ) : (
              <DataTable caption="Promo codes" columns={COLUMNS} rows={page.items} rowKey={(promo) => promo.code} stale={promoCodes.isPlaceholderData} />
            )
          }
        </Answer>
      </Card>
      <Pager of="promo codes" {...pages(promoCodes.data?.next_cursor)} />
    </Page>
  );
}
