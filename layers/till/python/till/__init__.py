"""Till: purchases paid from customer credit, and the ledger that proves every balance."""
