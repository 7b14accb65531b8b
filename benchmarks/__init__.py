"""What Till's operations cost, measured."""
