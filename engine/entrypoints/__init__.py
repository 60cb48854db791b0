"""The doors: they parse, ask the service, and reply."""
