"""Wiring only: the environment, Django's settings, addresses, and the ASGI entry."""
