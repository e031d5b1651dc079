"""Providers played from their specs, and cases run offline."""
