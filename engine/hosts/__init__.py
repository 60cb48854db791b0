"""Where an engine lives: one process and its files."""
