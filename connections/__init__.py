"""Connections (an encrypted credential and an address) and installations (a connection put to use)."""
