"""The use cases: a module for each operation, or for those that share one rule.

``adjust_credit`` grants and deducts, ``promo_codes`` has the five operations on promo codes,
``read_credit`` and ``read_purchases`` have those that only read. What several use cases need is in
``shared``. What they need from outside is in ``ports``.
"""
