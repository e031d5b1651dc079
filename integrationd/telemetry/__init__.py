"""Signals to log lines and metrics, by one table."""
