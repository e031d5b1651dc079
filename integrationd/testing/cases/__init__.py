"""Cases run offline: the real engine between a script of exchanges and a store in memory."""
