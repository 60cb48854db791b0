"""The verbs: pure, total, without a clock. `advance` is the only door."""
