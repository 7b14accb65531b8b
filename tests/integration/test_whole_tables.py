"""What is true of all customers together, after all that the other tests did. It runs last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.tables import Tables


def test_each_shipment_id_belongs_to_the_purchase_that_has_it(tables: Tables) -> None:
    claimed = Counter((claim.shipment_id, claim.purchase_id) for claim in tables.claims())
    sold = Counter(tables.shipments_of_purchases())
    assert claimed == sold
    assert len({shipment_id for shipment_id, _ in claimed}) == len(claimed) > 0
