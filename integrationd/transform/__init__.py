"""Expressions, templates and mappings: what reads JSON and what writes text, compiled once."""
