"""The only loop, and the use cases of all doors."""
