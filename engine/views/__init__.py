"""From model data to what people read; pure, and escaped for the place it stands in."""
