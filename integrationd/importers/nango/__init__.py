"""Blocks of Nango's providers.yaml."""
