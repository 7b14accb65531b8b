"""What several use cases share: limits, idempotency, prices, settling, and trying again."""
