"""Every Protocol through which rooms meet; whole transactions, tenant always given."""
