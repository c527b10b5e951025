"""Expressions that people write: one language for mappings and for requests by form. Pure."""
