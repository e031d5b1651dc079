"""Jinja, parsed by its library, checked against a list of what is allowed, rendered in bounds."""
