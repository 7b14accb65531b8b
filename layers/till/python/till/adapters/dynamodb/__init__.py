"""The ledger table and the purchases table. docs/data-model.md shows every item."""
