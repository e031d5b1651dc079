"""The documents people write, as types, and the bundle that they make together."""
