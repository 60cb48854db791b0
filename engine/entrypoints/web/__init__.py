"""The web door: alerts in, health, and what people and programs ask of a server.

A door parses, asks who it is, and replies; the runtime decides. `app` puts the routes
together; `serving` runs it with deadlines in the engine's own loop.
"""
