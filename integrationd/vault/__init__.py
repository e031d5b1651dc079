"""Secrets: where they are looked up, and what is told when they are missing."""
